"""What goes with a conversation when it is asked about: tools, thinking, and what to do if it is too long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, get_args

import attrs

from sauropod._values.checks import integer, kind, listed, mapped, number
from sauropod._values.messages import Tool, ToolChoice
from sauropod.errors import UnsupportedInput

__all__ = ["ChatOptions", "Overflow"]

Overflow: TypeAlias = Literal["error", "truncate"]


def _tools(tools: Any) -> tuple[Tool, ...]:
    return listed(tools, UnsupportedInput, "tools", "Tool, such as Tool('clock')", lambda tool: isinstance(tool, Tool))


def _choice(choice: Any) -> ToolChoice:
    if isinstance(choice, ToolChoice):
        return choice
    return ToolChoice.only(choice) if isinstance(choice, Tool) else ToolChoice(choice)


def _variables(options: Any) -> dict[str, Any]:
    return mapped(
        options, UnsupportedInput, "template_options", "names to values", lambda name, _: isinstance(name, str)
    )


@attrs.frozen(kw_only=True)
class ChatOptions:
    """What goes with a conversation. Raises `UnsupportedInput` for what makes no sense."""

    tools: Sequence[Tool] = attrs.field(default=(), converter=_tools)
    tool_choice: ToolChoice = attrs.field(factory=ToolChoice, converter=_choice)
    parallel_tool_calls: bool = attrs.field(default=True, validator=kind(UnsupportedInput, bool))
    reasoning_effort: str | None = attrs.field(default=None, validator=kind(UnsupportedInput, str, optional=True))
    reasoning_budget: int | None = attrs.field(default=None, validator=integer(UnsupportedInput, 0, 2**31 - 1))
    overflow: Overflow = attrs.field(default="error")
    retention: float = attrs.field(default=0.875, validator=number(UnsupportedInput, 0, 1, optional=False))
    """With `overflow="truncate"`: the share of the context that turns are left out down to, once it is full."""
    template_options: Mapping[str, Any] = attrs.field(default=None, converter=_variables)

    @tools.validator
    def _told_apart(self, _: object, tools: Sequence[Tool]) -> None:
        names = [tool.name for tool in tools]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise UnsupportedInput(f"Two tools have the name {twice[0]!r}. Rename one of them.")

    @tool_choice.validator
    def _possible(self, _: object, choice: ToolChoice) -> None:
        known = [tool.name for tool in self.tools]
        unknown = sorted(set(choice.names or ()) - set(known))
        if unknown:
            raise UnsupportedInput(
                f"tool_choice names {unknown[0]!r}, which is none of the tools: {', '.join(known) or 'there are none'}."
            )
        if choice.mode == "required" and not self.offered:
            raise UnsupportedInput("tool_choice asks for a call, and there is no tool to call. Give tools.")

    @overflow.validator
    def _known(self, _: object, overflow: str) -> None:
        if overflow not in get_args(Overflow):
            raise UnsupportedInput(f"overflow is {' or '.join(map(repr, get_args(Overflow)))}; got {overflow!r}.")

    @property
    def described(self) -> Sequence[Tool]:
        """The tools the model is told of."""
        return () if self.tool_choice.mode == "none" else self.tools

    @property
    def offered(self) -> Sequence[Tool]:
        """The tools it may call."""
        return [tool for tool in self.tools if self.tool_choice.allows(tool)]
