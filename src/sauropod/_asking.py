"""The keyword arguments of a request, and what they come to."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, get_args

import attrs

from sauropod._runtime.protocol import PromptText
from sauropod._typed.functions import FunctionTool, as_tool
from sauropod._typed.schemas import schema_of
from sauropod._values.asking import ChatOptions, Overflow
from sauropod._values.grammar import Grammar
from sauropod._values.messages import Prompt, Tool, ToolChoice, ToolMode, as_messages, as_tokens
from sauropod._values.running import Approve
from sauropod._values.sampling import SamplingOptions, SamplingParams
from sauropod._values.scheduling import Priority
from sauropod.errors import UnsupportedInput

__all__ = [
    "AnyTool",
    "AskOptions",
    "Asked",
    "PriorityName",
    "PromptOptions",
    "RunOptions",
    "as_inputs",
    "as_priority",
    "checked",
]

PriorityName: TypeAlias = Literal["live", "normal", "background"]

AnyTool: TypeAlias = Tool | FunctionTool[..., Any] | Callable[..., Any]
"""A tool as users give it."""


class PromptOptions(TypedDict, total=False):
    """The keyword arguments of `count_tokens`: what makes a conversation a prompt."""

    tools: Sequence[AnyTool]
    tool_choice: ToolChoice | ToolMode | AnyTool
    reasoning_effort: str | None
    raw: bool
    template_options: Mapping[str, Any] | None


class ConversationOptions(SamplingOptions, total=False):
    """The keyword arguments of all that asks a model."""

    tool_choice: ToolChoice | ToolMode | AnyTool
    parallel_tool_calls: bool
    reasoning_effort: str | None
    reasoning_budget: int | None
    overflow: Overflow
    retention: float
    sampling: SamplingParams | None
    priority: PriorityName
    template_options: Mapping[str, Any] | None


class AskOptions(ConversationOptions, total=False):
    """The keyword arguments of `complete` and `stream`, besides `returns`."""

    tools: Sequence[AnyTool]
    raw: bool


class RunOptions(ConversationOptions, total=False):
    """The keyword arguments of `run`, besides `tools` and `returns`."""

    max_rounds: int
    timeout: float | None
    tool_timeout: float | None
    approve: Approve | None


_CHAT = frozenset(field.name for field in attrs.fields(ChatOptions))
_OWN = frozenset({"raw", "sampling", "priority"})
_SAMPLING = frozenset(field.name for field in attrs.fields(SamplingParams))


@attrs.frozen
class Asked:
    """A request, as its arguments make it."""

    prompt: PromptText
    sampling: SamplingParams
    priority: Priority

    @classmethod
    def of(
        cls,
        prompt: Prompt,
        options: Mapping[str, Any],
        *,
        renders: bool,
        defaults: SamplingParams | None = None,
        returns: Any = None,
    ) -> Asked:
        """`renders`: whether the model has a chat template; without one it continues texts.

        Raises `UnsupportedInput` or `InvalidSampling` for what makes no sense, and `TypeError` for what nobody knows.
        """
        chat = {name: value for name, value in options.items() if name in _CHAT}
        chat["tools"] = _tools(chat.get("tools"))
        if "tool_choice" in chat:
            chat["tool_choice"] = _choice(chat["tool_choice"])
        prompted = _prompted(prompt, ChatOptions(**chat), bool(options.get("raw")), renders)
        fields = {name: value for name, value in options.items() if name not in _CHAT | _OWN}
        if unknown := sorted(fields.keys() - _SAMPLING):
            raise TypeError(
                f"{unknown[0]!r} is no option here. Options are {', '.join(sorted(_SAMPLING | _CHAT | _OWN))}."
            )
        given = checked(options.get("sampling")) or SamplingParams()
        sampling = attrs.evolve(given.over(defaults or SamplingParams()), **fields)
        if returns is not None:
            sampling = attrs.evolve(sampling, grammar=_grammar_for(returns, sampling))
        return cls(prompted, sampling, as_priority(options.get("priority", "normal")))

    @property
    def strict(self) -> dict[str, str]:
        """The schemas that calls of tools are to be held to, by the tools' names."""
        return {tool.name: json.dumps(tool.parameters) for tool in self.prompt.chat.offered if tool.strict}


def checked(sampling: SamplingParams | None) -> SamplingParams | None:
    """Raises `UnsupportedInput` for what is no `SamplingParams`."""
    if sampling is not None and not isinstance(sampling, SamplingParams):
        raise UnsupportedInput(f"sampling is a SamplingParams; got {type(sampling).__name__}. SamplingParams(**…)?")
    return sampling


def as_priority(name: PriorityName) -> Priority:
    """Raises `UnsupportedInput` for a name that is none."""
    if name not in get_args(PriorityName):
        raise UnsupportedInput(f"priority is one of {', '.join(get_args(PriorityName))}; got {name!r}.")
    return Priority[name.upper()]


def as_inputs(texts: Any) -> list[str | tuple[str, str]]:
    """What is to be embedded, one by one. Raises `UnsupportedInput`."""
    given = [texts] if isinstance(texts, str) else list(texts) if isinstance(texts, Iterable) else [texts]
    if isinstance(texts, bytes | bytearray) or not all(_is_text_or_pair(each) for each in given):
        raise UnsupportedInput("embed() takes a text or a list of them; for a reranker, a list of (query, document).")
    if "" in given:
        raise UnsupportedInput(f"Nothing is there to embed: text {given.index('')} is empty. Leave it out.")
    return [each if isinstance(each, str) else (each[0], each[1]) for each in given]


def _is_text_or_pair(given: Any) -> bool:
    if isinstance(given, list | tuple):
        return len(given) == 2 and all(isinstance(each, str) for each in given)
    return isinstance(given, str)


def _prompted(prompt: Prompt, chat: ChatOptions, raw: bool, renders: bool) -> PromptText:
    tokens = as_tokens(prompt)
    continued = isinstance(prompt, str) and (raw or not renders)
    if (continued or tokens is not None) and chat != ChatOptions():
        raise UnsupportedInput(
            "Tools, reasoning and template_options go with a conversation; what is continued as it is takes none. "
            "Leave them out, or give messages."
        )
    if tokens is not None:
        return PromptText(tokens=tokens)
    if isinstance(prompt, str) and continued:
        return PromptText(text=prompt)
    if raw:
        raise UnsupportedInput("raw=True continues a text or tokens; a conversation is rendered. Leave raw out.")
    return PromptText(as_messages(prompt), chat)


def _grammar_for(type_: Any, sampling: SamplingParams) -> Grammar:
    if sampling.grammar is not None:
        raise UnsupportedInput("returns= holds the answer to the schema of a type. Leave grammar out.")
    if sampling.n != 1:
        raise UnsupportedInput(f"returns= gives one instance; n is {sampling.n}. Leave n out.")
    return Grammar.json_schema(schema_of(type_))


def _choice(choice: Any) -> Any:
    """A function as the tool it is; what is no choice is left to be refused."""
    return as_tool(choice) if callable(choice) else choice


def _tools(tools: Any) -> Any:
    """Functions among them as tools; what is no list of tools is left to be refused."""
    if tools is None or isinstance(tools, str) or not isinstance(tools, Iterable):
        return tools if tools is not None else ()
    return [as_tool(each) if callable(each) else each for each in tools]
