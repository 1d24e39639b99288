"""`Session`: a live conversation, in which both sides may speak at once."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self, Unpack

import anyio
import attrs
from anyio.abc import ObjectSendStream, TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from sauropod._audio.samples import check_rate
from sauropod._detector import checked_samples
from sauropod._engine import Engine
from sauropod._flow import Flow
from sauropod._opening import check_kinds, opened
from sauropod._session.conductor import Conductor
from sauropod._session.events import ItemRemoved, SessionEvent
from sauropod._session.items import CallItem, Item, ResultItem, SaidItem
from sauropod._session.listening import Listening
from sauropod._session.player import Player
from sauropod._session.recording import Recording
from sauropod._session.settings import ReplyOptions, SessionOptions, SessionSettings
from sauropod._session.stage import Stage
from sauropod._transcriber import Transcriber
from sauropod._values.audio import AudioFrame
from sauropod._values.checks import is_finite
from sauropod._voice import Voice
from sauropod.errors import ClosedError, UnsupportedInput

__all__ = ["Session"]

WAITING = 64
"""Frames of audio that wait to be heard; whoever sends more has to wait."""
LONGEST_FRAME = 0.1
"""Seconds: longer frames are taken in piece by piece, so that what is in them is heard where it is."""
UNREAD = 512
"""Events that nobody has read, above which no more audio is given out."""


@attrs.define(eq=False)
class _Asked:
    """What the application asks for in the order of its audio."""

    act: Callable[[Conductor], str | None]
    done: anyio.Event = attrs.field(factory=anyio.Event)
    result: str = ""
    error: Exception | None = None


class Session(Flow[SessionEvent]):
    """A live conversation: audio and items go in, and what happens comes out.

        async with Engine("demo") as engine, Voice("demo") as voice, Transcriber("demo") as ears:
            async with Session(engine, voice=voice, transcriber=ears) as session:
                tasks.start_soon(send_microphone, session)
                async for event in session:
                    match event:
                        case UserSaid(item): print(">", item.text)
                        case ReplyAudio(_, _, frame): play(frame.samples)

    The nouns have to be open, and any number of sessions may share them. Without a `transcriber` it hears nothing, and
    without a `voice` it only writes. `settings` or single fields of them say how it is held; `update` changes them.

    `record` is a file into which all that happens is written, for `sauropod replay`; with `record_audio` what is heard
    and said, too.

    It belongs to the task that opened it, which reads it too. Its methods may be called from any task of that event
    loop. They raise `UnsupportedInput` for what makes no sense, after which nothing has changed.
    """

    _maker: ClassVar[str] = "sauropod.Session(…)"
    _ahead: ClassVar[float] = math.inf

    def __init__(
        self,
        engine: Engine,
        *,
        voice: Voice | None = None,
        transcriber: Transcriber | None = None,
        settings: SessionSettings | None = None,
        record: str | os.PathLike[str] | None = None,
        record_audio: bool = False,
        **changes: Unpack[SessionOptions],
    ) -> None:
        check_kinds(
            engine=(engine, Engine),
            voice=(voice, Voice),
            transcriber=(transcriber, Transcriber),
            settings=(settings, SessionSettings),
        )
        super().__init__()
        self._engine, self._voice, self._transcriber = engine, voice, transcriber
        self._settings = self._changed(settings or SessionSettings(), changes)
        self._record, self._record_audio = None if record is None else Path(record), record_audio
        self._conductor: Conductor | None = None
        self._rate: int | None = None
        self._ready: anyio.Event
        self._sending: MemoryObjectSendStream[AudioFrame | _Asked]
        self._waiting: MemoryObjectReceiveStream[AudioFrame | _Asked]

    @property
    def settings(self) -> SessionSettings:
        """How it is held now."""
        return self._settings

    @property
    def items(self) -> Sequence[Item]:
        """The conversation, in its order."""
        return tuple(self._open.stage.conversation)

    # -- audio ---------------------------------------------------------------------------------------------------------

    async def send(self, frame: AudioFrame) -> None:
        """What the microphone gives: samples of any length, at any rate, but always the same one.

        It is heard in the order in which it is sent. Waits while much is waiting to be heard.
        """
        self._hears()
        if not isinstance(frame, AudioFrame):
            raise UnsupportedInput(f"A session hears sauropod.AudioFrame(samples, rate); got {type(frame).__name__}.")
        samples = checked_samples(frame.samples)
        if self._rate is None:
            self._rate = check_rate(frame.rate)
        elif self._rate != frame.rate:
            raise UnsupportedInput(f"A session's audio has one rate; it was {self._rate}, and now it is {frame.rate}.")
        size = max(1, round(LONGEST_FRAME * frame.rate))
        for at in range(0, len(samples), size):
            await self._queue(AudioFrame(samples[at : at + size].copy(), frame.rate, frame.start + at))

    async def commit(self) -> str:
        """The user's turn ends here, with the audio that has been sent: it becomes an item, whose id this is.

        No reply is begun by it. Raises `UnsupportedInput` if no audio was sent since the last turn.
        """
        self._hears()
        return await self._in_order(Conductor.commit)

    async def clear(self) -> None:
        """Drop the audio that was sent and is in no item yet."""
        self._hears()
        await self._in_order(Conductor.clear)

    # -- replies -------------------------------------------------------------------------------------------------------

    async def respond(self, **options: Unpack[ReplyOptions]) -> str:
        """Begin a reply to what was said so far. Its id.

        While one is being written that is `UnsupportedInput`; while one is only being played, this one begins after it.
        `options` say what is different for this one: `instructions`, `tools`, `tool_choice`, `output`, `voice_name`,
        `max_tokens`. With `items` it answers these instead of the conversation; with `apart` it is no part of it, and
        may be made beside another.
        """
        return self._open.answering.respond(options)

    async def cancel(self, reply_id: str | None = None) -> None:
        """Stop the reply that is under way, or the one of that id."""
        self._open.answering.cancel(reply_id)

    async def truncate(self, item_id: str, seconds: float) -> None:
        """So many seconds were heard of what was said in that item: the rest was not said."""
        if not is_finite(seconds):
            raise UnsupportedInput(f"seconds is a number; got {seconds!r}.")
        self._open.answering.truncate(item_id, seconds)

    # -- the conversation ----------------------------------------------------------------------------------------------

    async def add(self, item: Item | str, after: str | None = None) -> Item:
        """Put an item into the conversation: at its end, or after the one of that id; "root" is its beginning.

        A text is what the user writes. A `SaidItem` with audio and without text is listened to.
        """
        item = SaidItem("user", item) if isinstance(item, str) else item
        if not isinstance(item, SaidItem | CallItem | ResultItem):
            raise UnsupportedInput(f"An item is a SaidItem, a CallItem, a ResultItem or a text; got {item!r}.")
        if isinstance(item, SaidItem) and item.text is None:
            if item.audio is None:
                raise UnsupportedInput("A SaidItem has a text, or audio to be listened to; this one has neither.")
            self._hears()
        return self._open.add(item, after)

    def retrieve(self, item_id: str) -> Item:
        """The item of that id."""
        return self._open.stage.conversation.get(item_id)

    async def remove(self, item_id: str) -> None:
        """Take an item out of the conversation."""
        stage = self._open.stage
        stage.conversation.remove(item_id)
        stage.tell(ItemRemoved(item_id))

    async def update(self, **changes: Unpack[SessionOptions]) -> SessionSettings:
        """Go on with these settings changed. Replies under way keep theirs."""
        _ = self._open
        settings = self._settings = self._changed(self._settings, changes)
        await self._in_order(lambda conductor: conductor.configure(settings))
        return settings

    # -- inside --------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        if self._tasks is None:
            self._ready = anyio.Event()
            self._sending, self._waiting = anyio.create_memory_object_stream[AudioFrame | _Asked](WAITING)
        await super().__aenter__()
        try:
            await self._ready.wait()
            if self._conductor is None:
                await self.__anext__()  # which raises why
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            await super().__aexit__(kind, error, trace)
        finally:
            self._sending.close()
            self._waiting.close()

    async def _make(self, out: ObjectSendStream[SessionEvent | Exception]) -> None:
        assert isinstance(out, MemoryObjectSendStream)
        try:
            with Recording.into(self._record, audio=self._record_audio) as recording:
                async with anyio.create_task_group() as tasks:
                    self._conductor = self._conducted(out, tasks, recording)
                    self._ready.set()
                    await self._listen(self._conductor, recording)
        finally:
            self._conductor = None
            self._give_up()
            self._ready.set()

    def _give_up(self) -> None:
        """Whoever waits for something finds out that it will not come."""
        with suppress(anyio.WouldBlock, anyio.EndOfStream, anyio.ClosedResourceError):
            while True:
                given = self._waiting.receive_nowait()
                if isinstance(given, _Asked):
                    given.error = _closed()
                    given.done.set()
        self._waiting.close()

    def _conducted(
        self, out: MemoryObjectSendStream[SessionEvent | Exception], tasks: TaskGroup, recording: Recording
    ) -> Conductor:
        def tell(event: SessionEvent) -> None:
            recording.event(event)
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):  # nobody reads any more
                out.send_nowait(event)

        settings, listening = self._settings, None
        if self._transcriber is not None:
            listening = Listening(opened(self._transcriber), tasks, settings.language)
            listening.configure(settings.turns)
        player = Player(settings.ahead_seconds, lambda: out.statistics().current_buffer_used > UNREAD)
        stage = Stage(self._engine, self._voice, listening, player, settings, tell, tasks)
        return Conductor(stage, recording.sign)

    async def _listen(self, conductor: Conductor, recording: Recording) -> None:
        """Take in audio, and what is asked for in its order, until the session is left."""
        async for given in self._waiting:
            if isinstance(given, AudioFrame):
                recording.heard(given)
                await conductor.hearing.hear(given)
                continue
            try:
                given.result = given.act(conductor) or ""
            except UnsupportedInput as error:
                given.error = error
            given.done.set()

    async def _in_order(self, act: Callable[[Conductor], str | None]) -> str:
        asked = _Asked(act)
        await self._queue(asked)
        await asked.done.wait()
        if asked.error is not None:
            raise asked.error
        return asked.result

    async def _queue(self, given: AudioFrame | _Asked) -> None:
        _ = self._open
        try:
            await self._sending.send(given)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise _closed() from None

    def _hears(self) -> None:
        if self._transcriber is None:
            raise UnsupportedInput("This session hears nothing. Make it with a transcriber.")

    @property
    def _open(self) -> Conductor:
        if self._conductor is None:
            raise _closed()
        return self._conductor

    def _changed(self, settings: SessionSettings, changes: Mapping[str, Any]) -> SessionSettings:
        """Raises `UnsupportedInput`, or `TypeError` for what is no setting."""
        for name in changes.keys() - SessionOptions.__annotations__.keys():
            known = ", ".join(SessionOptions.__annotations__)
            raise TypeError(f"{name!r} is no setting of a session; there are {known}.")
        settings = attrs.evolve(settings, **changes)
        if self._voice is not None:
            self._voice.check(voice=settings.voice_name, speed=settings.speed)
        if settings.native_audio and not self._engine.info.hears:
            raise UnsupportedInput(
                f"{self._engine.info.name} hears no audio. Leave native_audio out, or give the session a model that "
                "does."
            )
        return settings


def _closed() -> ClosedError:
    return ClosedError("The session is not open. Use it in `async with sauropod.Session(…) as session`.")
