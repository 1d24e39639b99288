"""The keyword arguments of a request, and what they come to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, get_args

import attrs

from sauropod._typed.functions import FunctionTool, as_tool
from sauropod._values.asking import ChatOptions, Overflow
from sauropod._values.messages import Tool, ToolChoice, ToolMode
from sauropod._values.running import Approve
from sauropod._values.sampling import SamplingOptions, SamplingParams
from sauropod._values.scheduling import Priority
from sauropod.errors import UnsupportedInput

__all__ = ["AnyTool", "AskOptions", "Asked", "PriorityName", "PromptOptions", "RunOptions", "as_priority"]

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


@attrs.frozen
class Asked:
    """What a request asks for, besides its prompt."""

    chat: ChatOptions
    raw: bool
    sampling: SamplingParams | None
    priority: Priority
    fields: Mapping[str, Any]
    """Of `SamplingParams`."""

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Asked:
        """Raises `UnsupportedInput` for what makes no sense, and `TypeError` for what nobody knows."""
        chat = {name: value for name, value in options.items() if name in _CHAT}
        chat["tools"] = _tools(chat.get("tools"))
        if "tool_choice" in chat and not isinstance(chat["tool_choice"], str | ToolChoice):
            chat["tool_choice"] = as_tool(chat["tool_choice"])
        sampling = options.get("sampling")
        if sampling is not None and not isinstance(sampling, SamplingParams):
            raise UnsupportedInput(f"sampling is a SamplingParams; got {type(sampling).__name__}. SamplingParams(**…)?")
        fields = {name: value for name, value in options.items() if name not in _CHAT | _OWN}
        return cls(
            ChatOptions(**chat),
            bool(options.get("raw")),
            sampling,
            as_priority(options.get("priority", "normal")),
            fields,
        )


def as_priority(name: PriorityName) -> Priority:
    """Raises `UnsupportedInput` for a name that is none."""
    if name not in get_args(PriorityName):
        raise UnsupportedInput(f"priority is one of {', '.join(get_args(PriorityName))}; got {name!r}.")
    return Priority[name.upper()]


def _tools(tools: Any) -> Any:
    """Functions among them as tools; what is no list of tools is left to be refused."""
    if tools is None or isinstance(tools, str) or not isinstance(tools, Iterable):
        return tools if tools is not None else ()
    return [as_tool(each) if callable(each) else each for each in tools]
