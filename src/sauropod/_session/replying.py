"""Replying: one reply, from the question to its last sound."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
import attrs
from anyio.abc import ObjectReceiveStream, ObjectSendStream

from sauropod._asking import AnyTool
from sauropod._engine import Engine
from sauropod._session.events import (
    ItemAdded,
    ItemDone,
    Reply,
    ReplyAudio,
    ReplyCallDelta,
    ReplyFinished,
    ReplyReason,
    ReplyStarted,
    ReplyStatus,
    ReplyText,
    SessionEvent,
    TurnTimings,
)
from sauropod._session.items import CallItem, Conversation, SaidItem
from sauropod._session.player import Player
from sauropod._session.settings import SessionSettings
from sauropod._session.user_turn import UserTurn
from sauropod._speech.heard import heard_text
from sauropod._stream import TextStream
from sauropod._text.phrases import Phrases
from sauropod._typed.schemas import plain_json
from sauropod._values.completion import Finished, TextDelta, ToolCallClosed
from sauropod._values.messages import Message, ToolCall
from sauropod._values.sampling import StopReason
from sauropod._values.speech import Mark
from sauropod._values.spoken import SpeechFrame
from sauropod._voice import Voice

__all__ = ["Moments", "Replying", "Said"]

CHUNK = 0.04
"""Seconds of audio that are given out at once."""


@attrs.define(eq=False)
class Moments:
    """When what happened for the first time, by the clock."""

    begin: float
    speculated: bool = False
    noted: dict[str, float] = attrs.field(factory=dict)

    def note(self, name: str, at: float | None = None) -> None:
        self.noted.setdefault(name, anyio.current_time() if at is None else at)

    def timings(self) -> TurnTimings:
        return TurnTimings(
            **{name: at - self.begin for name, at in self.noted.items()},
            speculated=self.speculated,
        )


@attrs.define(eq=False)
class Said:
    """What a reply says, and how it sounds as far as it was given out."""

    item: SaidItem
    text: str = ""
    rate: int = 0
    """Of the audio; 0 for what is only written."""
    given: int = 0
    """Samples that were given out."""
    marks: list[Mark] = attrs.field(factory=list)

    def heard(self, seconds: float) -> str:
        """The text that was heard in so many seconds."""
        return heard_text(self.text, self.marks, round(seconds * self.rate)) if self.rate else self.text

    def until(self, text: str) -> float:
        """When that much of the text had been said, in seconds."""
        last = [mark.last for mark in self.marks if mark.end <= len(text)]
        return last[-1] / self.rate if last and self.rate else 0.0

    @property
    def seconds(self) -> float:
        """How much audio was given out."""
        return self.given / self.rate if self.rate else 0.0


@attrs.define(eq=False)
class Replying:
    """A reply under way. Until it is released nobody is told of it.

    `prompt` gives the messages to answer, or None if there is nothing to answer; it is called once.
    """

    reply: Reply
    engine: Engine
    voice: Voice | None
    player: Player | None
    """None: audio is given out as it is made."""
    settings: SessionSettings
    tools: Sequence[AnyTool]
    tool_choice: Any
    prompt: Callable[[], Awaitable[list[Message] | None]]
    tell: Callable[[SessionEvent], None]
    conversation: Conversation
    """Where what it says is put; of a reply that is apart, one of its own."""
    moments: Moments
    spoke: Callable[[Replying], None]
    """Told when the first sound is given out."""
    called: Callable[[Replying, ToolCall], None]
    turn: UserTurn | None = None
    """The user's turn that it answers."""
    basis: Sequence[object] = ()
    """What it was begun upon: if that is not so any more when it is released, it is of no use."""
    said: Said | None = None
    calls: list[CallItem] = attrs.field(factory=list)
    written: bool = False
    """The model has come to its end; what is left is audio."""
    started: bool = False
    """Somebody has been told of it."""
    over: bool = False
    """Nothing more is told of it."""
    scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    _released: anyio.Event = attrs.field(factory=anyio.Event)
    _backlog: list[SessionEvent] = attrs.field(factory=list)
    _stream: TextStream | None = None
    _stop: StopReason = StopReason.EOS

    @property
    def id(self) -> str:
        return self.reply.id

    def release(self) -> None:
        """Tell of it what there is, and all that comes."""
        self._released.set()
        backlog, self._backlog = self._backlog, []
        for event in backlog:
            self._tell(event)

    async def run(self) -> bool:
        """Whether it came to its end by itself. Else it was stopped, and who stopped it sees to everything."""
        with self.scope:
            try:
                messages = await self.prompt()
                if messages is None:
                    await self._released.wait()
                    return True
                self._tell(ReplyStarted(self.reply))
                await self._answer(messages)
                await self._released.wait()
                self._finish("completed")
            except Exception as error:
                await self._released.wait()
                self._fail(_first(error))
            return True
        return False

    def cut(self, reason: ReplyReason) -> None:
        """Stop it. What was not heard of it was not said."""
        self.scope.cancel()
        if not self.started and self.turn is not None:
            self.over = True
            return  # nobody has asked for it
        if not self.started:
            self._tell(ReplyStarted(self.reply))
        if self.said is not None:
            heard = self.said.seconds - (0.0 if self.player is None else self.player.unheard)
            self._close_said("incomplete", self.said.heard(heard))
        self._end("cancelled", reason)

    # -- the text ------------------------------------------------------------------------------------------------------

    async def _answer(self, messages: list[Message]) -> None:
        if self.reply.output == "text" or self.voice is None:
            await self._write(messages, None)
            return
        pieces, text = anyio.create_memory_object_stream[str](math.inf)  # as much as a reply has
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._speak, self.voice, text)
            async with pieces:
                await self._write(messages, pieces)

    async def _write(self, messages: list[Message], pieces: ObjectSendStream[str] | None) -> None:
        phrases = Phrases()
        async with self.engine.stream(messages, **self._options()) as self._stream:
            async for event in self._stream:
                match event:
                    case TextDelta(text) if text:
                        self.moments.note("first_token")
                        self._say(text)
                        if phrases.feed(text):
                            self.moments.note("first_phrase")
                        if pieces is not None:
                            with suppress(anyio.BrokenResourceError):  # the voice failed, and tells why
                                await pieces.send(text)
                    case ToolCallClosed(_, call):
                        self.moments.note("first_token")
                        self._call(call)
                    case Finished(completion):
                        self._stop = completion.stop_reason
                    case _:
                        pass
        if phrases.finish():
            self.moments.note("first_phrase")
        self.written = True

    def _options(self) -> dict[str, Any]:
        settings = self.settings
        options: dict[str, Any] = {"priority": "live", "sampling": settings.sampling}
        options |= {"overflow": settings.overflow, "retention": settings.retention}
        if self.tools:
            options |= {"tools": self.tools, "tool_choice": self.tool_choice}
        if self.reply.max_tokens is not None:
            options["max_tokens"] = self.reply.max_tokens
        return options

    def _say(self, text: str) -> None:
        if self.said is None:
            item = SaidItem("assistant", "", spoken=self.reply.output == "audio", status="in_progress")
            self.said = Said(item)
            self._tell(ItemAdded(item, None, self.id))
        self.said.text += text
        self._tell(ReplyText(self.id, self.said.item.id, text))

    def _call(self, call: ToolCall) -> None:
        item = CallItem(call)
        self.calls.append(item)
        self._tell(
            ItemAdded(attrs.evolve(item, call=ToolCall(call.name, {}, call.id), status="in_progress"), None, self.id)
        )
        self._tell(ReplyCallDelta(self.id, item.id, plain_json(dict(call.arguments))))
        self._tell(ItemDone(item, None, self.id))

    # -- the sound -----------------------------------------------------------------------------------------------------

    async def _speak(self, voice: Voice, text: ObjectReceiveStream[str]) -> None:
        async def written() -> AsyncGenerator[str, None]:
            async with text:
                async for piece in text:
                    yield piece

        options: dict[str, Any] = {"voice": self.reply.voice_name, "speed": self.settings.speed}
        async with voice.stream(written(), **options) as frames:
            async for frame in frames:
                await self._released.wait()
                await self._give_out(frame)

    async def _give_out(self, frame: SpeechFrame) -> None:
        said = self.said
        assert said is not None
        said.rate = frame.rate
        said.marks += frame.marks
        for part in _parts(frame) if self.player is not None and self.player.ahead is not None else [frame]:
            if self.player is not None:
                await self.player.turn(part.duration)
            if "first_audio" not in self.moments.noted:
                self.moments.note("first_audio")
                self.spoke(self)
            said.given = part.end
            self._tell(ReplyAudio(self.id, said.item.id, part))

    # -- the end -------------------------------------------------------------------------------------------------------

    def _finish(self, status: ReplyStatus) -> None:
        reason: ReplyReason | None = None
        if self._stop in (StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH):
            status = "incomplete"
            reason = "max_tokens" if self._stop is StopReason.MAX_TOKENS else "context_length"
        if self.said is not None:
            self._close_said("completed" if status == "completed" else "incomplete", self.said.text)
        self._end(status, reason)

    def _fail(self, error: Exception) -> None:
        if not self.started:
            self._tell(ReplyStarted(self.reply))
        if self.said is not None:
            self._close_said("incomplete", self.said.text)
        self._end("failed", None, error)

    def _close_said(self, status: Any, text: str) -> None:
        assert self.said is not None
        self.said.item = attrs.evolve(self.said.item, text=text, status=status)
        self._tell(ItemDone(self.said.item, None, self.id))

    def _end(self, status: ReplyStatus, reason: ReplyReason | None, error: Exception | None = None) -> None:
        said = [self.said.item] if self.said is not None else []
        self.reply = attrs.evolve(
            self.reply,
            status=status,
            reason=reason,
            items=(*said, *self.calls),
            usage=None if self._stream is None else self._stream.usage,
            timings=self.moments.timings(),
            error=error,
        )
        self._tell(ReplyFinished(self.reply))
        self.over = True

    def _tell(self, event: SessionEvent) -> None:
        """Tell of it, once it is released. What is told of is in the conversation."""
        if self.over:
            return
        if not self._released.is_set():
            self._backlog.append(event)
            return
        self.started = True
        match event:
            case ItemAdded(item):
                event = attrs.evolve(event, after_id=self.conversation.add(item))
            case ItemDone(item) if item.id in self.conversation:
                self.conversation.change(item)
                event = attrs.evolve(event, after_id=self.conversation.before(item.id))
            case ItemDone():
                return  # somebody removed it meanwhile
            case _:
                pass
        self.tell(event)
        if isinstance(event, ItemDone) and isinstance(event.item, CallItem):
            self.called(self, event.item.call)


def _parts(frame: SpeechFrame) -> list[SpeechFrame]:
    """The frame in pieces that are given out one by one. What it says, and its marks, go with the first."""
    size = max(1, round(CHUNK * frame.rate))
    parts = []
    for at in range(0, len(frame.samples), size):
        first = at == 0
        samples, start = frame.samples[at : at + size], frame.start + at
        parts.append(SpeechFrame(samples, frame.rate, start, frame.text if first else "", frame.marks if first else ()))
    return parts


def _first(error: Exception) -> Exception:
    """Of errors in several tasks, the first."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
