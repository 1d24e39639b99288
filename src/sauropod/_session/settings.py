"""How a live conversation is held."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias, TypedDict, get_args

import attrs

from sauropod._asking import AnyTool
from sauropod._session.items import Item
from sauropod._speech.endpointer import EndpointSettings
from sauropod._typed.functions import FunctionTool, as_tools
from sauropod._values.asking import Overflow
from sauropod._values.checks import integer, kind, number
from sauropod._values.messages import Tool, ToolChoice, ToolMode
from sauropod._values.sampling import SamplingParams
from sauropod.errors import UnsupportedInput

__all__ = ["Output", "ReplyOptions", "SessionOptions", "SessionSettings", "TurnTaking"]

Output: TypeAlias = Literal["audio", "text"]

_seconds = number(UnsupportedInput, 0, 3600, optional=False)
_flag = kind(UnsupportedInput, bool)


@attrs.frozen(kw_only=True)
class TurnTaking:
    """When a turn of the user's is over, and what then."""

    endpoint: EndpointSettings = attrs.field(
        factory=EndpointSettings, validator=kind(UnsupportedInput, EndpointSettings)
    )
    """What speech is, and which silence ends it."""
    patience: float | None = attrs.field(default=None, validator=number(UnsupportedInput, 0.2, 60))
    """None: `endpoint.silence_seconds` end a turn. Else it ends at the first pause at which it sounds complete, or
    after as many seconds of silence as this."""
    respond: bool = attrs.field(default=True, validator=_flag)
    """Whether a turn that is over is answered without being asked for."""
    interrupt: bool = attrs.field(default=True, validator=_flag)
    """Whether speech cuts what is being said."""
    confirm_seconds: float = attrs.field(default=0.25, validator=_seconds)
    """Speech over a reply holds it at once. It cuts it when it has lasted for so long and has a word in it, ..."""
    believe_seconds: float = attrs.field(default=0.8, validator=_seconds)
    """... or when it has lasted for so long, whatever it is. If it ends before, the reply goes on."""
    idle_seconds: float | None = attrs.field(default=None, validator=number(UnsupportedInput, 0.1, 3600))
    """After so much silence behind a reply the session speaks again by itself."""


def _output(_: object, __: object, value: Any) -> None:
    if value not in ("audio", "text"):
        raise UnsupportedInput(f"output is 'audio' or 'text'; got {value!r}.")


def _overflow(_: object, __: object, value: Any) -> None:
    if value not in get_args(Overflow):
        raise UnsupportedInput(f"overflow is {' or '.join(map(repr, get_args(Overflow)))}; got {value!r}.")


def _choice(_: object, __: object, value: Any) -> None:
    if not isinstance(value, ToolChoice):
        ToolChoice(value)  # which knows the words


def _tools(tools: Any) -> tuple[Tool | FunctionTool[..., Any], ...]:
    return tuple(as_tools(tools or ()))


@attrs.frozen(kw_only=True)
class SessionSettings:
    """How a conversation is held. Raises `UnsupportedInput` for what makes no sense."""

    instructions: str = attrs.field(default="", validator=kind(UnsupportedInput, str))
    """What the system says."""
    tools: Sequence[Tool | FunctionTool[..., Any]] = attrs.field(default=(), converter=_tools)
    """What the model may call. Functions are called by the session, which then goes on; calls of other tools are for
    the application, which adds a `ResultItem` and asks for a reply."""
    tool_choice: ToolChoice | ToolMode = attrs.field(default="auto", validator=_choice)
    tool_rounds: int = attrs.field(default=8, validator=integer(UnsupportedInput, 0, 1000, optional=False))
    """How often in a row functions may be called before the model has to answer."""
    output: Output = attrs.field(default="audio", validator=_output)
    """Whether the session speaks or writes."""
    voice_name: str | Mapping[str, float] | None = None
    """Which of the voices speaks; None is the `Voice`'s own."""
    speed: float | None = attrs.field(default=None, validator=number(UnsupportedInput, 0.25, 4))
    language: str | None = attrs.field(default=None, validator=kind(UnsupportedInput, str, optional=True))
    """What the user speaks, where the model has to be told."""
    max_tokens: int | None = attrs.field(default=None, validator=integer(UnsupportedInput, 1, 2**31 - 1))
    """Of a reply."""
    sampling: SamplingParams | None = attrs.field(
        default=None, validator=kind(UnsupportedInput, SamplingParams, optional=True)
    )
    overflow: Overflow = attrs.field(default="truncate", validator=_overflow)
    """What happens when the conversation is longer than the model's context: the oldest turns are left out, or the
    reply fails."""
    retention: float = attrs.field(default=0.875, validator=number(UnsupportedInput, 0, 1, optional=False))
    """The share of the context that they are left out down to."""
    turns: TurnTaking | None = attrs.field(
        factory=TurnTaking, validator=kind(UnsupportedInput, TurnTaking, optional=True)
    )
    """None: the application says when a turn is over, with `commit`, and asks for replies."""
    ahead_seconds: float | None = attrs.field(default=0.3, validator=number(UnsupportedInput, 0.02, 60))
    """How much audio is given out before it can have been played. With little, an interruption is exact. None gives it
    out as it is made."""
    prefill: bool = attrs.field(default=True, validator=_flag)
    """Whether the model reads along while the user speaks."""
    speculate: bool = attrs.field(default=True, validator=_flag)
    """Whether a reply is begun at a pause, before it is certain that the turn is over."""
    audio_seconds: float = attrs.field(default=120.0, validator=_seconds)
    """How much of the user's audio is kept with the items. Once it is more, the oldest goes until half is left."""
    native_audio: bool | None = attrs.field(default=None, validator=kind(UnsupportedInput, bool, optional=True))
    """Whether the model hears what the user says, as long as that is kept, and does not only read the transcript. None:
    if it can. The transcriber still tells where turns begin and end, and what the application is shown."""


class SessionOptions(TypedDict, total=False):
    """The fields of `SessionSettings`, as keyword arguments."""

    instructions: str
    tools: Sequence[AnyTool]
    tool_choice: ToolChoice | ToolMode
    tool_rounds: int
    output: Output
    voice_name: str | Mapping[str, float] | None
    speed: float | None
    language: str | None
    max_tokens: int | None
    sampling: SamplingParams | None
    overflow: Overflow
    retention: float
    turns: TurnTaking | None
    ahead_seconds: float | None
    prefill: bool
    speculate: bool
    audio_seconds: float
    native_audio: bool | None


class ReplyOptions(TypedDict, total=False):
    """The keyword arguments of `Session.respond`: what is different for this reply."""

    instructions: str
    tools: Sequence[AnyTool]
    tool_choice: ToolChoice | ToolMode
    output: Output
    voice_name: str | Mapping[str, float] | None
    max_tokens: int | None
    items: Sequence[Item | str]
    """What it answers instead of the conversation: items, or ids of the conversation's."""
    apart: bool
    """It is no part of the conversation, and may be made beside another reply. It is not paced."""
    metadata: Mapping[str, str]
    """Comes back with `Reply`."""
