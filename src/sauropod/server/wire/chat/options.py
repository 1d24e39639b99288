"""Options: a chat completion's parameters, as `Engine.stream` takes them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from sauropod import AskOptions, Grammar
from sauropod.errors import RequestError
from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.chat.request import CreateChat
from sauropod.server.wire.chat.sampling import gbnf_of
from sauropod.server.wire.chat.tools import Toolbox, choice_of, legacy_choice_of
from sauropod.server.wire.decoding import converted

__all__ = ["options_of"]


class JsonSchema(Struct):
    """A schema the answer is to be valid under. `strict` is accepted: the answer is held to it."""

    name: str | None = None
    description: str | None = None
    schema: dict[str, Any] | bool | None = None
    strict: bool | None = None


def options_of(asked: CreateChat, toolbox: Toolbox) -> AskOptions:
    """All of them. Raises `Problem` for what makes no sense."""
    options: AskOptions = {**asked.sampling(), **_tools(asked, toolbox)}
    if (most := asked.max_completion_tokens or asked.max_tokens) is not None:
        options["max_tokens"] = most
    if asked.logprobs:
        options["logprobs"] = asked.top_logprobs or 0
    if asked.reasoning_effort is not None:
        options["reasoning_effort"] = asked.reasoning_effort
    if asked.chat_template_kwargs:
        options["template_options"] = asked.chat_template_kwargs
    if (grammar := _grammar(asked)) is not None:
        options["grammar"] = grammar
    return options


# -- inside --------------------------------------------------------------------------------------------------------


def _tools(asked: CreateChat, toolbox: Toolbox) -> AskOptions:
    """Those about tools."""
    choice = legacy_choice_of(asked.function_call, toolbox) if toolbox.legacy else choice_of(asked.tool_choice, toolbox)
    if not toolbox.tools:
        return {}
    options: AskOptions = {"tools": toolbox.tools, "tool_choice": choice}
    if toolbox.legacy or asked.parallel_tool_calls is False:
        options["parallel_tool_calls"] = False
    return options


def _grammar(asked: CreateChat) -> Grammar | None:
    form = _format(asked.response_format)
    if asked.grammar is None:
        return form
    if form is not None:
        raise invalid("'grammar' and 'response_format' both say what the answer must be. Leave one out.", "grammar")
    return gbnf_of(asked.grammar)


def _format(form: dict[str, Any] | None) -> Grammar | None:
    kind = form.get("type") if form is not None else "text"
    if kind == "text":
        return None
    if kind == "json_object":
        return Grammar.json_object()
    if form is not None and kind == "json_schema":
        return _schema(form.get("json_schema"))
    raise invalid(
        f"'response_format' is of the type text, json_object or json_schema; got {kind!r}.",
        "response_format.type",
        "invalid_value",
    )


def _schema(given: Any) -> Grammar:
    where = "response_format.json_schema"
    schema = converted(JsonSchema, given, where).schema
    if schema is None:
        raise invalid(f"Missing required parameter: '{where}.schema'.", f"{where}.schema", "missing_required_parameter")
    try:
        return Grammar.json_schema(schema)
    except RequestError as error:
        raise Problem(400, str(error), param=f"{where}.schema", code="invalid_json_schema") from error
