"""Events: what is told of a response while it is written. Each has a number, counted from 0."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.responses.items import Logprob, OutputItem, Part
from sauropod.server.wire.responses.response import Response

__all__ = ["LAST", "Event", "line_of", "name_of"]


class Numbered(Struct, kw_only=True):
    """An event."""

    sequence_number: int


class OfResponse(Numbered, kw_only=True):
    """The response as a whole."""

    response: Response


class Created(OfResponse, tag="response.created"):
    """It exists."""


class Queued(OfResponse, tag="response.queued"):
    """It waits, in the background."""


class InProgress(OfResponse, tag="response.in_progress"):
    """It is being written."""


class Completed(OfResponse, tag="response.completed"):
    """It is whole."""


class Incomplete(OfResponse, tag="response.incomplete"):
    """It ended early, and this is what there is of it."""


class Failed(OfResponse, tag="response.failed"):
    """It failed; its `error` says why."""


class OfItem(Numbered, kw_only=True):
    """An item as a whole."""

    output_index: int
    item: OutputItem


class ItemAdded(OfItem, tag="response.output_item.added"):
    """An item begins."""


class ItemDone(OfItem, tag="response.output_item.done"):
    """An item is as it will stay."""


class Within(Numbered, kw_only=True):
    """Inside of an item."""

    item_id: str
    output_index: int


class OfPart(Within, kw_only=True):
    """A part as a whole."""

    content_index: int
    part: Part


class PartAdded(OfPart, tag="response.content_part.added"):
    """A part begins."""


class PartDone(OfPart, tag="response.content_part.done"):
    """A part is as it will stay."""


class TextDelta(Within, tag="response.output_text.delta", kw_only=True):
    """More text."""

    content_index: int
    delta: str
    logprobs: list[Logprob] = []


class TextDone(Within, tag="response.output_text.done", kw_only=True):
    """All of the text."""

    content_index: int
    text: str
    logprobs: list[Logprob] = []


class ReasoningDelta(Within, tag="response.reasoning_text.delta", kw_only=True):
    """More thoughts."""

    content_index: int
    delta: str


class ReasoningDone(Within, tag="response.reasoning_text.done", kw_only=True):
    """All of the thoughts."""

    content_index: int
    text: str


class ArgumentsDelta(Within, tag="response.function_call_arguments.delta", kw_only=True):
    """More of a call's arguments."""

    delta: str


class ArgumentsDone(Within, tag="response.function_call_arguments.done", kw_only=True):
    """All of a call's arguments."""

    name: str
    arguments: str


class CustomInputDelta(Within, tag="response.custom_tool_call_input.delta", kw_only=True):
    """More of a custom tool's input."""

    delta: str


class CustomInputDone(Within, tag="response.custom_tool_call_input.done", kw_only=True):
    """All of a custom tool's input."""

    input: str


class StreamError(Numbered, tag="error", kw_only=True):
    """What went wrong where there is no response to tell of it."""

    code: str | None = None
    message: str
    param: str | None = None


Event: TypeAlias = (
    Created
    | Queued
    | InProgress
    | Completed
    | Incomplete
    | Failed
    | ItemAdded
    | ItemDone
    | PartAdded
    | PartDone
    | TextDelta
    | TextDone
    | ReasoningDelta
    | ReasoningDone
    | ArgumentsDelta
    | ArgumentsDone
    | CustomInputDelta
    | CustomInputDone
    | StreamError
)
LAST = (Completed, Incomplete, Failed)
"""After one of these nothing follows."""


def name_of(event: Event) -> str:
    """Its type, as the field `event:` of a stream has it."""
    return str(type(event).__struct_config__.tag)


def line_of(event: Event) -> bytes:
    """As a server-sent event."""
    return b"event: %b\ndata: %b\n\n" % (name_of(event).encode(), encoded(event))
