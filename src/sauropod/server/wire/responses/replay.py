"""Replay: the events of a response that is there, for those who were not told of them when it was written.

`replayed` tells of a response whose events nobody kept; `recovered` ends one that its server could not end.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count

import attrs
import msgspec

from sauropod.server.wire.responses import events as wire
from sauropod.server.wire.responses.events import Event
from sauropod.server.wire.responses.items import (
    CustomToolCall,
    FunctionCall,
    Message,
    OutputItem,
    OutputText,
    Reasoning,
)
from sauropod.server.wire.responses.open_items import Number, OpenCall, OpenItem, OpenReasoning, OpenText
from sauropod.server.wire.responses.response import Failure, Response, copied

__all__ = ["LOST", "last_event", "recovered", "replayed"]

LOST = "The server was stopped while this response was being written. What there was of it is kept."

_event = msgspec.json.Decoder(Event)


def last_event(response: Response, number: int) -> Event:
    """The event that ends it."""
    kind = wire.Completed if response.status == "completed" else wire.Incomplete
    return (wire.Failed if response.status == "failed" else kind)(sequence_number=number, response=response)


def replayed(response: Response) -> list[Event]:
    """All of them, with one delta for each text."""
    counter = count()

    def number() -> int:
        return next(counter)

    begun = copied(response)
    begun.status, begun.output, begun.usage, begun.error, begun.completed_at = "in_progress", [], None, None, None
    begun.incomplete_details = None
    found: list[Event] = [
        wire.Created(sequence_number=number(), response=begun),
        wire.InProgress(sequence_number=number(), response=begun),
    ]
    for index, item in enumerate(response.output):
        found += _told(index, item, number)
    return [*found, last_event(response, number())]


def _told(index: int, item: OutputItem, number: Number) -> list[Event]:
    match item:
        case Message(content=[OutputText() as part]):
            text = OpenText(index, item.id)
            begun = text.begin(number)
            text.text, text.logprobs = [part.text], part.logprobs
            delta = wire.TextDelta(
                sequence_number=number(),
                item_id=item.id,
                output_index=index,
                content_index=0,
                delta=part.text,
                logprobs=part.logprobs,
            )
            return [*begun, delta, *text.end(number, item.status)[0]]
        case Reasoning(content=[part]):
            thoughts = OpenReasoning(index, item.id, isinstance(item.encrypted_content, str))
            begun = thoughts.begin(number)
            return [*begun, thoughts.more(number(), part.text), *thoughts.end(number, item.status)[0]]
        case FunctionCall():
            call = OpenCall(index, msgspec.structs.replace(item, arguments="", status="in_progress"))
            begun = call.begin(number)
            return [*begun, call.more(number(), item.arguments), *call.end(number, item.status)[0]]
        case CustomToolCall():
            call = OpenCall(index, msgspec.structs.replace(item, input=""))
            begun = call.begin(number)
            return [*begun, call.more(number(), item.input), *call.end(number, "completed")[0]]
    return [
        wire.ItemAdded(sequence_number=number(), output_index=index, item=item),
        wire.ItemDone(sequence_number=number(), output_index=index, item=item),
    ]


@attrs.define
class _Lost:
    """What the log says of a response, up to where it breaks off."""

    output: list[OutputItem] = attrs.field(factory=list)
    open: OpenItem | None = None
    last: int = -1

    def take(self, event: Event) -> None:
        self.last = event.sequence_number
        match event:
            case wire.ItemAdded(item=Message() as item):
                self.open = OpenText(event.output_index, item.id)
            case wire.ItemAdded(item=Reasoning() as item):
                self.open = OpenReasoning(event.output_index, item.id, False)
            case wire.ItemAdded(item=FunctionCall() | CustomToolCall() as item):
                self.open = OpenCall(event.output_index, item)
            case wire.TextDelta():
                assert isinstance(self.open, OpenText)
                self.open.text.append(event.delta)
                self.open.logprobs += event.logprobs
            case wire.ReasoningDelta():
                assert isinstance(self.open, OpenReasoning)
                self.open.text.append(event.delta)
            case wire.ArgumentsDelta() | wire.CustomInputDelta():
                assert isinstance(self.open, OpenCall)
                self.open.passed += event.delta
            case wire.ItemDone():
                self.open = None
                self.output.append(event.item)


def recovered(response: Response, log: Sequence[bytes]) -> tuple[Response, list[Event]]:
    """The response as far as the log has it, as incomplete, and the events that end it.

    What one thing the model did made is in the log whole, or not at all.
    """
    lost = _Lost()
    for event in log:
        lost.take(_event.decode(event))
    counter = count(lost.last + 1)
    found: list[Event] = []
    if lost.open is not None:
        found, item = lost.open.end(lambda: next(counter), "incomplete")
        lost.output.append(item)
    ended = copied(response)
    ended.status, ended.output, ended.error = "incomplete", lost.output, Failure("server_error", LOST)
    return ended, [*found, last_event(ended, next(counter))]
