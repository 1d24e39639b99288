"""What holds of the events of any session, in whatever order things happen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from sauropod import (
    AudioCleared,
    AudioCommitted,
    CallItem,
    ItemAdded,
    ItemDone,
    ItemRemoved,
    ItemTruncated,
    NothingHeard,
    ReplyAudio,
    ReplyCallDelta,
    ReplyFinished,
    ReplyHeld,
    ReplyResumed,
    ReplyStarted,
    ReplyText,
    SaidItem,
    UserHeard,
    UserSaid,
    UserStarted,
    UserStopped,
    UserUnheard,
)

__all__ = ["Rules"]


@attrs.define
class Rules:
    """Goes through the events of one session, and fails at the first that breaks a rule."""

    speaking: str | None = None
    """The item that the user is saying."""
    added: dict[str, Any] = attrs.field(factory=dict)
    done: set[str] = attrs.field(factory=set)
    removed: set[str] = attrs.field(factory=set)
    committed: set[str] = attrs.field(factory=set)
    words: set[str] = attrs.field(factory=set)
    running: dict[str, ReplyStarted] = attrs.field(factory=dict)
    ended: set[str] = attrs.field(factory=set)
    held: set[str] = attrs.field(factory=set)
    written: dict[str, str] = attrs.field(factory=dict)
    """The text of each of a reply's items."""
    given: dict[str, int] = attrs.field(factory=dict)
    """The sample after the last that was given out, of each item."""

    def take_all(self, events: Iterable[Any]) -> None:
        for event in events:
            self.take(event)

    def finish(self) -> None:
        """Nothing more will come."""
        assert not self.running, "a reply never ended"
        assert self.speaking is None, "the user never ended"
        assert self.added.keys() - self.removed <= self.done, "an item never was complete"

    def take(self, event: Any) -> None:
        match event:
            case UserStarted(item):
                assert self.speaking is None, "the user began twice"
                self.speaking = item
            case UserHeard(item):
                assert self.speaking == item
            case UserStopped(item, start, end):
                assert self.speaking == item
                assert start <= end
                self.speaking = None
            case AudioCleared():
                self.speaking = None
            case AudioCommitted(item):
                assert item not in self.added
                self.committed.add(item)
            case UserSaid(item):
                self._words_of(item.id)
                assert item.text
            case NothingHeard(item) | UserUnheard(item):
                self._words_of(item)
            case ItemAdded():
                self._added(event)
            case ItemDone():
                self._done(event)
            case ItemRemoved(item):
                assert item in self.added
                self.removed.add(item)
            case ItemTruncated(item, seconds, text):
                assert item in self.done or item in self.removed
                assert self.written[item].startswith(text)
                assert seconds >= 0
            case ReplyStarted(reply):
                assert reply.id not in self.running.keys() | self.ended
                assert reply.apart or not any(not each.reply.apart for each in self.running.values()), "two at once"
                self.running[reply.id] = event
            case ReplyText(reply, item, text):
                self._goes_on(reply, item)
                self.written[item] = self.written.get(item, "") + text
            case ReplyAudio(reply, item, frame):
                self._goes_on(reply, item)
                assert reply not in self.held, "it speaks while it is held"
                assert frame.start == self.given.get(item, 0), "there is a gap in the audio"
                self.given[item] = frame.end
            case ReplyCallDelta(reply, item):
                self._goes_on(reply, item)
            case ReplyHeld(reply):
                assert reply in self.running
                self.held.add(reply)
            case ReplyResumed(reply):
                assert reply in self.running
                self.held.remove(reply)
            case ReplyFinished(reply):
                self._finished(event)
            case _:
                pass

    def _words_of(self, item: str) -> None:
        assert item in self.added
        assert item not in self.words, "the words of an item are known twice"
        self.words.add(item)

    def _added(self, event: ItemAdded) -> None:
        item = event.item
        assert item.id not in self.added
        assert event.reply_id is None or event.reply_id in self.running
        self.added[item.id] = item

    def _done(self, event: ItemDone) -> None:
        item = event.item
        assert item.id in self.added
        assert item.id not in self.done, "an item was done twice"
        assert type(item) is type(self.added[item.id])
        assert not isinstance(item, SaidItem | CallItem) or item.status != "in_progress"
        if event.reply_id is not None and isinstance(item, SaidItem):
            assert self.written[item.id].startswith(item.text or "")
        self.done.add(item.id)

    def _goes_on(self, reply: str, item: str) -> None:
        assert reply in self.running, "something comes of a reply that is not under way"
        assert item in self.added
        assert item not in self.done, "something comes of an item that is done"

    def _finished(self, event: ReplyFinished) -> None:
        reply = event.reply
        assert reply.status != "in_progress"
        assert (reply.reason is None) == (reply.status in ("completed", "failed"))
        assert (reply.error is None) == (reply.status != "failed")
        del self.running[reply.id]
        self.held.discard(reply.id)
        self.ended.add(reply.id)
        assert {item.id for item in reply.items} <= self.done | self.removed
