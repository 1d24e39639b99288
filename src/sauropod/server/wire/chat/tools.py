"""Toolbox: the tools of a request, as the model is told of them and as its calls are told to the client."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import attrs
from msgspec import Struct

from sauropod import Tool, ToolChoice
from sauropod.errors import RequestError
from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.decoding import converted

__all__ = ["INPUT", "Toolbox", "choice_of", "legacy_choice_of", "toolbox_of"]

INPUT = "input"
"""The one argument of a custom tool, as the model is told of it."""


class FunctionDefinition(Struct):
    """A function: without `strict` the model is held to its parameters as far as they can be enforced."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class GrammarDefinition(Struct):
    """What a custom tool's text must be."""

    definition: str
    syntax: str


class CustomFormat(Struct):
    """The form of a custom tool's text."""

    type: str
    grammar: GrammarDefinition | None = None


class CustomDefinition(Struct):
    """A tool that is given one text."""

    name: str
    description: str | None = None
    format: CustomFormat | None = None


@attrs.frozen
class Toolbox:
    """What the model may call."""

    tools: Sequence[Tool] = ()
    customs: Collection[str] = frozenset()
    """The names of those that are given one text."""
    lenient: Collection[str] = frozenset()
    """The names of those whose schema nobody insists on."""
    legacy: bool = False
    """Whether they came as `functions`, of which one is called, as `function_call`."""

    def is_custom(self, name: str) -> bool:
        return name in self.customs

    @property
    def loosened(self) -> Toolbox | None:
        """The same, with any arguments allowed where nobody insists on the schema; None if that is no difference."""
        if not self.lenient:
            return None
        tools = tuple(attrs.evolve(tool, strict=tool.strict and tool.name not in self.lenient) for tool in self.tools)
        return attrs.evolve(self, tools=tools, lenient=frozenset())


def toolbox_of(tools: Sequence[Any] | None, functions: Sequence[Any] | None) -> Toolbox:
    """Raises `Problem` for what is no tool."""
    if tools and functions:
        raise invalid("'functions' is the old name of 'tools'. Leave one of them out.", "functions")
    if functions:
        read = [_function(each, f"functions[{at}]") for at, each in enumerate(functions)]
        return Toolbox(_named(read, "functions"), lenient=frozenset(tool.name for tool in read), legacy=True)
    found, customs, lenient = [], set(), set()
    for at, each in enumerate(tools or ()):
        kind, definition, where = _kind_of(each, f"tools[{at}]")
        tool = _READERS[kind](definition, where)
        found.append(tool)
        if kind == "custom":
            customs.add(tool.name)
        elif definition.get("strict") is None:
            lenient.add(tool.name)
    return Toolbox(_named(found, "tools"), frozenset(customs), frozenset(lenient))


def choice_of(choice: Any, toolbox: Toolbox) -> ToolChoice:
    """`tool_choice` in all its forms. Raises `Problem` for one that is none, or names a tool that was not given."""
    if choice is None:
        return ToolChoice()
    if choice in ("none", "auto", "required"):
        if choice == "required" and not toolbox.tools:
            raise invalid("'tool_choice' is 'required', and there is nothing to call. Give 'tools'.", "tool_choice")
        return ToolChoice(choice)
    if isinstance(choice, dict) and choice.get("type") in ("function", "custom"):
        return ToolChoice.only(_chosen(choice, toolbox, "tool_choice"))
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        return _allowed(choice.get("allowed_tools"), toolbox)
    raise invalid(
        "'tool_choice' is 'none', 'auto', 'required', or an object of the type function, custom or allowed_tools.",
        "tool_choice",
        "invalid_value",
    )


def legacy_choice_of(choice: Any, toolbox: Toolbox) -> ToolChoice:
    """`function_call`, the old form. Raises `Problem`."""
    if choice in (None, "none", "auto"):
        return ToolChoice(choice or "auto")
    if isinstance(choice, dict):
        return ToolChoice.only(_known(choice.get("name"), toolbox, "function_call"))
    raise invalid("'function_call' is 'none', 'auto', or an object with a name.", "function_call", "invalid_value")


# -- inside --------------------------------------------------------------------------------------------------------


def _kind_of(given: Any, where: str) -> tuple[str, Mapping[str, Any], str]:
    """A tool's type, what defines it, and where that is."""
    kind = given.get("type") if isinstance(given, dict) else None
    if not isinstance(kind, str) or kind not in _READERS:
        raise invalid(
            f"'{where}' is a tool of the type function or custom; got {kind!r}. Others are known to OpenAI only.",
            f"{where}.type",
            "invalid_value",
        )
    definition = given.get(kind)
    if not isinstance(definition, dict):
        raise invalid(f"Missing required parameter: '{where}.{kind}'.", f"{where}.{kind}", "missing_required_parameter")
    return kind, definition, f"{where}.{kind}"


def _function(given: Any, where: str) -> Tool:
    function = converted(FunctionDefinition, given, where)
    parameters = function.parameters or {"type": "object", "properties": {}}
    return _tool(where, function.name, function.description, parameters, function.strict is not False)


def _custom(given: Any, where: str) -> Tool:
    custom = converted(CustomDefinition, given, where)
    text: dict[str, Any] = {"type": "string"}
    description = custom.description or ""
    if custom.format is not None and (grammar := custom.format.grammar) is not None:
        if grammar.syntax == "regex":
            text["pattern"] = f"^(?:{grammar.definition})$"
        description += f"\n\nIts input follows this grammar ({grammar.syntax}):\n{grammar.definition}"
    parameters = {"type": "object", "properties": {INPUT: text}, "required": [INPUT], "additionalProperties": False}
    return _tool(where, custom.name, description.strip(), parameters, True)


_READERS: Mapping[str, Callable[[Any, str], Tool]] = {"function": _function, "custom": _custom}


def _tool(where: str, name: str, description: str | None, parameters: Mapping[str, Any], strict: bool) -> Tool:
    try:
        return Tool(name, description or "", parameters, strict=strict)
    except RequestError as error:
        raise invalid(str(error), where, "invalid_value") from error


def _named(tools: Sequence[Tool], param: str) -> tuple[Tool, ...]:
    names = [tool.name for tool in tools]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise invalid(f"Two tools have the name {twice[0]!r}. Rename one of them.", param)
    return tuple(tools)


def _allowed(given: Any, toolbox: Toolbox) -> ToolChoice:
    mode, listed = (given.get("mode"), given.get("tools")) if isinstance(given, dict) else (None, None)
    if mode not in ("auto", "required") or not isinstance(listed, list) or not listed:
        raise invalid(
            "'tool_choice.allowed_tools' has a mode, 'auto' or 'required', and a list of tools.",
            "tool_choice.allowed_tools",
            "invalid_value",
        )
    param = "tool_choice.allowed_tools.tools"
    return ToolChoice(mode, [_chosen(each, toolbox, f"{param}[{at}]") for at, each in enumerate(listed)])


def _chosen(choice: Any, toolbox: Toolbox, param: str) -> str:
    """The name in `{"type": "function", "function": {"name": …}}`, or the same of a custom tool."""
    named = choice.get(str(choice.get("type"))) if isinstance(choice, dict) else None
    return _known(named.get("name") if isinstance(named, dict) else None, toolbox, param)


def _known(name: Any, toolbox: Toolbox, param: str) -> str:
    names = [tool.name for tool in toolbox.tools]
    if isinstance(name, str) and name in names:
        return name
    raise _unknown(name, names, param)


def _unknown(name: Any, names: Sequence[str], param: str) -> Problem:
    have = ", ".join(names) or "there are none"
    return invalid(f"'{param}' names the tool {name!r}, which was not given: {have}.", param, "invalid_value")
