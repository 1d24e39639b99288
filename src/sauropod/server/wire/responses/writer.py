"""ResponseWriter: from what a model does to the events of a response, in their order, and to the response itself.

Items never interleave: one is opened, filled and closed before the next. Pure: ids and the time are given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
from msgspec import UNSET

import sauropod
from sauropod import Finished, StopReason, StreamEvent, ToolCallClosed, ToolCallDelta, ToolCallDropped, ToolCallOpened
from sauropod.server.problems import Problem
from sauropod.server.wire.call_ids import wire_id
from sauropod.server.wire.responses import events as wire
from sauropod.server.wire.responses.events import Event
from sauropod.server.wire.responses.items import CustomToolCall, FunctionCall, OutputItem, Reasoning
from sauropod.server.wire.responses.open_items import OpenCall, OpenItem, OpenReasoning, OpenText
from sauropod.server.wire.responses.response import (
    IncompleteDetails,
    Response,
    ResponseStatus,
    copied,
    failure_of,
    usage_of,
)
from sauropod.server.wire.responses.tools import Offered, Toolbox

__all__ = ["ResponseWriter"]

_EARLY = {StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH}


@attrs.define(eq=False)
class ResponseWriter:
    """The response that is being written. `response` is true at any time; events are true when they are given."""

    response: Response
    toolbox: Toolbox
    new_id: Callable[[str], str]
    live_calls: bool = False
    """Whether a call that begins is certain to become one, so that its arguments are told as they come. Otherwise a
    call is told once it is whole."""
    logprobs: bool = False
    encrypted: bool = False
    """Whether thoughts are given as `encrypted_content` too."""
    _sequence: int = 0
    _open: OpenItem | None = None
    _held: dict[int, ToolCallOpened] = attrs.field(factory=dict)
    """Calls that began and are not told yet."""

    def next_number(self) -> int:
        """The number of the next event."""
        self._sequence += 1
        return self._sequence - 1

    def begin(self) -> list[Event]:
        """It exists, and in the background it waits."""
        found: list[Event] = [self._whole(wire.Created)]
        if self.response.status == "queued":
            found.append(self._whole(wire.Queued))
        else:
            found.append(self._whole(wire.InProgress))
        return found

    def start(self) -> list[Event]:
        """What waited is being written."""
        self.response.status = "in_progress"
        return [self._whole(wire.InProgress)]

    def take(self, event: StreamEvent, now: int) -> list[Event]:
        """What is to be told of something the model did."""
        match event:
            case sauropod.TextDelta():
                return self._text(event)
            case sauropod.ReasoningDelta():
                return self._thoughts(event)
            case ToolCallOpened():
                return self._opened(event)
            case ToolCallDelta():
                return self._arguments(event)
            case ToolCallClosed():
                return self._called(event)
            case ToolCallDropped():
                self._held.pop(event.call, None)
                return self._close("incomplete") if isinstance(self._open, OpenCall) else []
            case Finished():
                return self._finish(event, now)

    def fail(self, problem: Problem, now: int) -> list[Event]:
        """It failed, and what there is of it is told."""
        found = self._close("incomplete")
        self.response.status, self.response.error = "failed", failure_of(problem)
        self.response.completed_at = None
        return [*found, self._whole(wire.Failed)]

    def stop(self, status: ResponseStatus) -> list[Event]:
        """It was stopped from outside, and is `cancelled` or `incomplete`."""
        found = self._close("incomplete")
        self.response.status = status
        return [*found, self._whole(wire.Incomplete)]

    def prepared(self, now: int) -> list[Event]:
        """It is there to go on from, and nothing of it was to be written."""
        self.response.status, self.response.completed_at = "completed", now
        self.response.usage = usage_of([])
        return [self._whole(wire.Completed)]

    # -- items -----------------------------------------------------------------------------------------------------

    def _text(self, event: sauropod.TextDelta) -> list[Event]:
        if not event.text and not isinstance(self._open, OpenText):
            return []
        found = self._ensure(OpenText)
        assert isinstance(self._open, OpenText)
        return [*found, self._open.more(self.next_number(), event.text, event.logprobs if self.logprobs else ())]

    def _thoughts(self, event: sauropod.ReasoningDelta) -> list[Event]:
        if not event.text:
            return []
        found = self._ensure(OpenReasoning)
        assert isinstance(self._open, OpenReasoning)
        return [*found, self._open.more(self.next_number(), event.text)]

    def _opened(self, event: ToolCallOpened) -> list[Event]:
        if not self.live_calls or self._offered(event.name).custom:
            self._held[event.call] = event
            return []
        return self._begin_call(event)

    def _begin_call(self, event: ToolCallOpened) -> list[Event]:
        found, offered = self._close(), self._offered(event.name)
        namespace = offered.namespace or UNSET
        names: Mapping[str, Any] = {
            "id": self.new_id("ctc" if offered.custom else "fc"),
            "call_id": wire_id(event.id),
            "name": offered.name,
            "namespace": namespace,
        }
        item: FunctionCall | CustomToolCall
        if offered.custom:
            item = CustomToolCall(**names, input="")
        else:
            item = FunctionCall(**names, arguments="", status="in_progress")
        self._open = OpenCall(len(self.response.output), item)
        return [*found, *self._open.begin(self.next_number)]

    def _arguments(self, event: ToolCallDelta) -> list[Event]:
        if event.call in self._held or not event.arguments:
            return []
        assert isinstance(self._open, OpenCall)
        return [self._open.more(self.next_number(), event.arguments)]

    def _called(self, event: ToolCallClosed) -> list[Event]:
        held = self._held.pop(event.call, None)
        found = [] if held is None else self._begin_call(held)
        assert isinstance(self._open, OpenCall)
        return [*found, *self._open.whole(self.next_number, event.tool_call), *self._close()]

    def _ensure(self, kind: type[OpenText | OpenReasoning]) -> list[Event]:
        """The open item is of that kind; it is begun if it is not."""
        if isinstance(self._open, kind):
            return []
        found = self._close()
        self._open = kind.new(len(self.response.output), self.new_id, self.encrypted)
        return [*found, *self._open.begin(self.next_number)]

    def _close(self, status: str = "completed") -> list[Event]:
        if self._open is None:
            return []
        found, item = self._open.end(self.next_number, status)
        self.response.output.append(item)
        self._open = None
        return found

    def _offered(self, name: str) -> Offered:
        return self.toolbox.offered.get(name) or Offered(sauropod.Tool(name), name)

    # -- the whole -------------------------------------------------------------------------------------------------

    def _finish(self, event: Finished, now: int) -> list[Event]:
        early = event.completion.stop_reason in _EARLY
        found: list[Event] = []
        if not early and self._open is None and not any(item_is_said(each) for each in self.response.output):
            found = self._ensure(OpenText)
        found += self._close("incomplete" if early else "completed")
        self.response.usage = usage_of([event.completion.usage])
        self.response.status = "incomplete" if early else "completed"
        if early:
            self.response.incomplete_details = IncompleteDetails("max_output_tokens")
            return [*found, self._whole(wire.Incomplete)]
        self.response.completed_at = now
        return [*found, self._whole(wire.Completed)]

    def _whole(self, kind: type[wire.OfResponse]) -> Any:
        return kind(sequence_number=self.next_number(), response=copied(self.response))


def item_is_said(item: OutputItem) -> bool:
    """Whether it is more than thoughts."""
    return not isinstance(item, Reasoning)
