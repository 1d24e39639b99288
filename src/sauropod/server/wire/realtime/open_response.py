"""OpenResponse: a response that is being told: its items, each from its first event to its last."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import attrs

from sauropod import AudioFrame, CallItem, Reply, SaidItem
from sauropod.server.wire.realtime.formats import Format, Outgoing
from sauropod.server.wire.realtime.items import WireItem, wire_item
from sauropod.server.wire.realtime.response import RealtimeResponse, response_id, snapshot
from sauropod.server.wire.realtime.server_events import (
    ArgumentsDelta,
    ArgumentsDone,
    ContentPart,
    ContentPartAdded,
    ContentPartDone,
    OutputAudioDelta,
    OutputAudioDone,
    OutputItemAdded,
    OutputItemDone,
    OutputTextDelta,
    OutputTextDone,
    ResponseCreated,
    ResponseDone,
    ServerEvent,
    TranscriptDelta,
    TranscriptDone,
    WireItemAdded,
    WireItemDone,
)

__all__ = ["OpenResponse"]


@attrs.define(eq=False)
class _OpenItem:
    """An item that is being told."""

    index: int
    item: SaidItem | CallItem
    outgoing: Outgoing
    text: str = ""
    """What was told of its text, or of its arguments."""
    done: bool = False


@attrs.define(eq=False)
class OpenResponse:
    """One of them. Several may be told at once; each of their items is one of them only."""

    reply: Reply
    conversation_id: str
    format: Format
    voice: str | None
    event_id: Callable[[], str]
    _items: dict[str, _OpenItem] = attrs.field(factory=dict)
    _output: dict[int, WireItem] = attrs.field(factory=dict)
    """The items that are done, by their places."""

    @property
    def apart(self) -> bool:
        return self.reply.apart

    def created(self) -> Iterator[ServerEvent]:
        yield ResponseCreated(event_id=self.event_id(), response=self._snapshot())

    def added(self, item: SaidItem | CallItem, after: str | None) -> Iterator[ServerEvent]:
        opened = self._items[item.id] = _OpenItem(len(self._items), item, Outgoing(self.format))
        told = wire_item(item)
        yield OutputItemAdded(event_id=self.event_id(), response_id=self._id, output_index=opened.index, item=told)
        if not self.apart:
            yield WireItemAdded(event_id=self.event_id(), previous_item_id=after, item=told)
        if isinstance(item, SaidItem):
            yield self._of(opened, ContentPartAdded)(part=_part(item, ""))

    def text(self, item_id: str, text: str) -> Iterator[ServerEvent]:
        opened = self._open(item_id)
        if opened is not None and isinstance(opened.item, SaidItem):
            opened.text += text
            yield self._of(opened, TranscriptDelta if opened.item.spoken else OutputTextDelta)(delta=text)

    def audio(self, item_id: str, frame: AudioFrame) -> Iterator[ServerEvent]:
        opened = self._open(item_id)
        if opened is not None and (delta := opened.outgoing.feed(frame.samples, frame.rate)):
            yield self._of(opened, OutputAudioDelta)(delta=delta)

    def arguments(self, item_id: str, arguments: str) -> Iterator[ServerEvent]:
        opened = self._open(item_id)
        if opened is not None:
            opened.text += arguments
            yield self._of(opened, ArgumentsDelta)(call_id=_call_id(opened.item), delta=arguments)

    def done(self, item: SaidItem | CallItem, after: str | None) -> Iterator[ServerEvent]:
        opened = self._open(item.id)
        if opened is None:
            return
        yield from self._close(opened, item)
        if not self.apart:
            yield WireItemDone(event_id=self.event_id(), previous_item_id=after, item=self._output[opened.index])

    def finished(self, reply: Reply) -> Iterator[ServerEvent]:
        """Its last. An item that somebody deleted meanwhile is done now."""
        for opened in self._items.values():
            if not opened.done:
                yield from self._close(opened, attrs.evolve(opened.item, status="incomplete"))
        self.reply = reply
        yield ResponseDone(event_id=self.event_id(), response=self._snapshot())

    # -- inside ----------------------------------------------------------------------------------------------------

    def _close(self, opened: _OpenItem, item: SaidItem | CallItem) -> Iterator[ServerEvent]:
        opened.item, opened.done = item, True
        told = self._output[opened.index] = wire_item(item)

        def of(kind: type[Any]) -> Callable[..., Any]:
            return self._of(opened, kind)

        if isinstance(item, CallItem):
            yield of(ArgumentsDone)(call_id=_call_id(item), name=item.call.name, arguments=told.arguments)  # type: ignore[union-attr]
        else:
            text = item.text or ""
            if item.spoken:
                if item.status == "completed" and (rest := opened.outgoing.finish()):
                    yield of(OutputAudioDelta)(delta=rest)
                yield of(OutputAudioDone)()
                yield of(TranscriptDone)(transcript=text)
            else:
                yield of(OutputTextDone)(text=text)
            yield of(ContentPartDone)(part=_part(item, text))
        yield OutputItemDone(event_id=self.event_id(), response_id=self._id, output_index=opened.index, item=told)

    @property
    def _id(self) -> str:
        return response_id(self.reply.id)

    def _open(self, item_id: str) -> _OpenItem | None:
        opened = self._items.get(item_id)
        return None if opened is None or opened.done else opened

    def _of(self, opened: _OpenItem, kind: type[Any]) -> Callable[..., Any]:
        """An event of that item, but for what is its own."""
        make: Callable[..., Any] = kind
        part = {} if isinstance(opened.item, CallItem) else {"content_index": 0}
        return partial(
            make,
            event_id=self.event_id(),
            response_id=self._id,
            item_id=opened.item.id,
            output_index=opened.index,
            **part,
        )

    def _snapshot(self) -> RealtimeResponse:
        output = [self._output[index] for index in sorted(self._output)]
        return snapshot(self.reply, output, self.conversation_id, self.format, self.voice)


def _part(item: SaidItem, text: str) -> ContentPart:
    return ContentPart(type="audio", transcript=text) if item.spoken else ContentPart(type="text", text=text)


def _call_id(item: SaidItem | CallItem) -> str:
    told = wire_item(item)
    return told.call_id  # type: ignore[union-attr]
