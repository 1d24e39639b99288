"""Writer: what happens in a session, as the events that clients are told. PURE: nothing in, the same nothing out."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Sequence

import attrs

from sauropod import (
    AudioCleared,
    AudioCommitted,
    CallItem,
    IdleTimedOut,
    ItemAdded,
    ItemDone,
    ItemRemoved,
    ItemTruncated,
    NothingHeard,
    ReplyAudio,
    ReplyCallDelta,
    ReplyFinished,
    ReplyStarted,
    ReplyText,
    ResultItem,
    SaidItem,
    SessionEvent,
    SessionUpdated,
    UserHeard,
    UserSaid,
    UserStarted,
    UserStopped,
    UserUnheard,
    Word,
)
from sauropod.server.problems import Problem, problem_of
from sauropod.server.wire.realtime import server_events as told
from sauropod.server.wire.realtime.formats import Format, Pcm
from sauropod.server.wire.realtime.items import wire_item
from sauropod.server.wire.realtime.open_response import OpenResponse
from sauropod.server.wire.realtime.server_events import ServerEvent
from sauropod.server.wire.realtime.session import LOGPROBS, AnySession, RealtimeSession

__all__ = ["Asked", "Writer"]

LEAST = 1e-9
"""A confidence has a logarithm."""


@attrs.frozen
class Asked:
    """What is a reply's own, and its session does not know of."""

    format: Format | None = None
    voice: str | None = None
    apart: bool = False


@attrs.define(eq=False)
class Writer:
    """Of one session."""

    session: AnySession
    """As clients know it."""
    new_id: Callable[[str], str]
    """`new_id("event")` is an id that nobody has."""
    conversation_id: str = attrs.field(init=False)
    updates: deque[AnySession] = attrs.field(factory=deque, init=False)
    """What the session becomes with each `SessionUpdated` that is to come."""
    asked: dict[str, Asked] = attrs.field(factory=dict, init=False)
    """Replies that were asked for, and have not begun."""
    spoke: bool = attrs.field(default=False, init=False)
    """Whether it has been heard: from then on it keeps its voice."""
    _open: dict[str, OpenResponse] = attrs.field(factory=dict, init=False)
    _heard: dict[str, str] = attrs.field(factory=dict, init=False)
    """What was told of what the user says, by item."""

    def __attrs_post_init__(self) -> None:
        self.conversation_id = self.new_id("conv")

    @property
    def replying(self) -> bool:
        """Whether a response of the conversation is under way."""
        return any(not each.apart for each in self._open.values())

    @property
    def busy(self) -> bool:
        """Whether any is."""
        return bool(self._open)

    @property
    def apart(self) -> int:
        """How many are under way, or about to be, that are apart."""
        return sum(each.apart for each in self._open.values()) + sum(each.apart for each in self.asked.values())

    def ask(self, reply_id: str, asked: Asked) -> None:
        """A reply was asked for. Of those that are not apart only the last can still begin."""
        self.forget(reply_id if asked.apart else None)
        self.asked[reply_id] = asked

    def forget(self, reply_id: str | None) -> None:
        """A reply that was asked for will not begin; None is the one that is not apart."""
        self.asked = {
            id: each for id, each in self.asked.items() if id != reply_id and (each.apart or reply_id is not None)
        }

    def opening(self) -> list[ServerEvent]:
        """What is told first."""
        created: list[ServerEvent] = [told.SessionCreated(event_id=self._event_id(), session=self.session)]
        if isinstance(self.session, RealtimeSession):
            conversation = told.Conversation(id=self.conversation_id)
            created.append(told.ConversationCreated(event_id=self._event_id(), conversation=conversation))
        return created

    def updated(self, session: AnySession) -> ServerEvent:
        """The session is like this now."""
        self.session = session
        return told.SessionChanged(event_id=self._event_id(), session=session)

    def retrieved(self, item: SaidItem | CallItem | ResultItem) -> ServerEvent:
        """With the user's audio, if it is still there."""
        return told.ItemRetrieved(event_id=self._event_id(), item=wire_item(item, self.session.audio.input.format))

    def error(self, problem: Problem, of: str | None) -> ServerEvent:
        return told.error_of(problem, self._event_id(), of)

    def write(self, event: SessionEvent) -> list[ServerEvent]:
        """All that an event comes to, in its order."""
        match event:
            case ReplyStarted() | ReplyText() | ReplyAudio() | ReplyCallDelta() | ReplyFinished():
                return list(self._of_reply(event))
            case ItemAdded() | ItemDone() | ItemTruncated() | ItemRemoved() | SessionUpdated():
                return list(self._of_conversation(event))
            case UserHeard() | UserSaid() | UserUnheard() | NothingHeard():
                return list(self._of_words(event)) if self._transcribes else []
            case _:
                return list(self._of_user(event))

    # -- inside ----------------------------------------------------------------------------------------------------

    def _event_id(self) -> str:
        return self.new_id("event")

    @property
    def _transcribes(self) -> bool:
        return self.session.audio.input.transcription is not None

    def _of_user(self, event: SessionEvent) -> Iterator[ServerEvent]:
        id = self._event_id
        match event:
            case UserStarted(item, start):
                yield told.SpeechStarted(event_id=id(), item_id=item, audio_start_ms=_ms(start))
            case UserStopped(item, _, end):
                yield told.SpeechStopped(event_id=id(), item_id=item, audio_end_ms=_ms(end))
            case AudioCommitted(item, after):
                yield told.Committed(event_id=id(), item_id=item, previous_item_id=after)
            case AudioCleared():
                yield told.Cleared(event_id=id())
            case IdleTimedOut(item, start, end):
                yield told.TimeoutTriggered(
                    event_id=id(), item_id=item, audio_start_ms=_ms(start), audio_end_ms=_ms(end)
                )
            case _:
                pass  # that a reply is held, OpenAI has no word for

    def _of_words(self, event: UserHeard | UserSaid | UserUnheard | NothingHeard) -> Iterator[ServerEvent]:
        match event:
            case UserHeard(item, stable):
                yield from self._more(item, stable)
            case UserSaid(item, seconds):
                yield from self._more(item.id, item.text or "")
                yield self._completed(item.id, item.text or "", seconds, item.words)
            case NothingHeard(id):
                yield self._completed(id, "", 0.0, ())
            case UserUnheard(id, error):
                problem = problem_of(error)
                about = {"type": problem.type, "code": problem.code, "message": problem.message, "param": None}
                self._heard.pop(id, None)
                yield told.TranscriptionFailed(event_id=self._event_id(), item_id=id, content_index=0, error=about)

    def _more(self, item_id: str, text: str) -> Iterator[ServerEvent]:
        """What goes beyond what was told. What was told stays told, so a text that went another way has no more."""
        before = self._heard.get(item_id, "")
        if text.startswith(before) and text != before:
            self._heard[item_id] = text
            yield told.TranscriptionDelta(
                event_id=self._event_id(), item_id=item_id, content_index=0, delta=text[len(before) :]
            )

    def _completed(self, item_id: str, text: str, seconds: float, words: Sequence[Word]) -> ServerEvent:
        self._heard.pop(item_id, None)
        done = told.TranscriptionCompleted(
            event_id=self._event_id(),
            item_id=item_id,
            content_index=0,
            transcript=text,
            usage=told.DurationUsage(seconds),
        )
        if LOGPROBS in (self.session.include or ()):
            done.logprobs = [_logprob(word) for word in words]
        return done

    def _of_conversation(self, event: SessionEvent) -> Iterator[ServerEvent]:
        id = self._event_id
        match event:
            case ItemAdded(SaidItem() | CallItem() as item, after, str(reply)) if reply in self._open:
                yield from self._open[reply].added(item, after)
            case ItemDone(SaidItem() | CallItem() as item, after, str(reply)) if reply in self._open:
                yield from self._open[reply].done(item, after)
            case ItemAdded(item, after):
                yield told.WireItemAdded(event_id=id(), previous_item_id=after, item=wire_item(item))
            case ItemDone(item, after):
                yield told.WireItemDone(event_id=id(), previous_item_id=after, item=wire_item(item))
            case ItemTruncated(item_id, seconds):
                yield told.WireItemTruncated(event_id=id(), item_id=item_id, content_index=0, audio_end_ms=_ms(seconds))
            case ItemRemoved(item_id):
                yield told.ItemDeleted(event_id=id(), item_id=item_id)
            case SessionUpdated():
                yield self.updated(self.updates.popleft() if self.updates else self.session)
            case _:
                pass

    def _of_reply(
        self, event: ReplyStarted | ReplyText | ReplyAudio | ReplyCallDelta | ReplyFinished
    ) -> Iterator[ServerEvent]:
        match event:
            case ReplyStarted(reply):
                opened = self._open[reply.id] = self._opened(event)
                yield from opened.created()
            case ReplyText(reply_id, item, text) if reply_id in self._open:
                yield from self._open[reply_id].text(item, text)
            case ReplyAudio(reply_id, item, frame) if reply_id in self._open:
                self.spoke = True
                yield from self._open[reply_id].audio(item, frame)
            case ReplyCallDelta(reply_id, item, arguments) if reply_id in self._open:
                yield from self._open[reply_id].arguments(item, arguments)
            case ReplyFinished(reply) if reply.id in self._open:
                yield from self._open.pop(reply.id).finished(reply)
            case _:
                pass

    def _opened(self, event: ReplyStarted) -> OpenResponse:
        asked = self.asked.pop(event.reply.id, Asked())
        form, voice = asked.format, asked.voice
        if isinstance(self.session, RealtimeSession):
            form, voice = form or self.session.audio.output.format, voice or self.session.audio.output.voice
        return OpenResponse(event.reply, self.conversation_id, form or Pcm(), voice, self._event_id)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _logprob(word: Word) -> told.Logprob:
    return told.Logprob(word.text, math.log(max(word.confidence, LEAST)), list(word.text.encode()))
