"""A live conversation without async."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, Unpack

import anyio.lowlevel

import sauropod
from sauropod import AudioFrame, Item, ReplyOptions, SessionEvent, SessionOptions, SessionSettings
from sauropod.blocking.loop import Loop
from sauropod.blocking.opened import Held
from sauropod.blocking.speech import Transcriber, Voice
from sauropod.blocking.text import Engine
from sauropod.errors import ClosedError

__all__ = ["Session"]

Result = TypeVar("Result")


class Session:
    """`sauropod.Session` for code that does not await. Arguments, results and errors are the same.

        with Session(engine, voice=voice, transcriber=ears) as session:
            threading.Thread(target=send_microphone, args=[session]).start()
            for event in session:
                ...

    Its methods may be called from any thread, while another iterates over it.
    """

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
        self._session = sauropod.Session(
            engine._noun,
            voice=None if voice is None else voice._noun,
            transcriber=None if transcriber is None else transcriber._noun,
            settings=settings,
            record=record,
            record_audio=record_audio,
            **changes,
        )
        self._loop: Loop | None = None
        self._held: Held[SessionEvent] | None = None

    @property
    def settings(self) -> SessionSettings:
        """How it is held now."""
        return self._session.settings

    @property
    def items(self) -> Sequence[Item]:
        """The conversation, in its order."""
        return self._call(partial(_here, lambda: self._session.items))

    def send(self, frame: AudioFrame) -> None:
        """What the microphone gives: samples of any length, at any rate, but always the same one."""
        self._call(partial(self._session.send, frame))

    def commit(self) -> str:
        """The user's turn ends here, with the audio that has been sent: it becomes an item, whose id this is."""
        return self._call(self._session.commit)

    def clear(self) -> None:
        """Drop the audio that was sent and is in no item yet."""
        self._call(self._session.clear)

    def respond(self, **options: Unpack[ReplyOptions]) -> str:
        """Begin a reply to what was said so far. Its id."""
        return self._call(partial(self._session.respond, **options))

    def cancel(self, reply_id: str | None = None) -> None:
        """Stop the reply that is under way, or the one of that id."""
        self._call(partial(self._session.cancel, reply_id))

    def truncate(self, item_id: str, seconds: float) -> None:
        """So many seconds were heard of what was said in that item: the rest was not said."""
        self._call(partial(self._session.truncate, item_id, seconds))

    def add(self, item: Item | str, after: str | None = None) -> Item:
        """Put an item into the conversation: at its end, or after the one of that id; "root" is its beginning."""
        return self._call(partial(self._session.add, item, after))

    def retrieve(self, item_id: str) -> Item:
        """The item of that id."""
        return self._call(partial(_here, partial(self._session.retrieve, item_id)))

    def remove(self, item_id: str) -> None:
        """Take an item out of the conversation."""
        self._call(partial(self._session.remove, item_id))

    def update(self, **changes: Unpack[SessionOptions]) -> SessionSettings:
        """Go on with these settings changed. Replies under way keep theirs."""
        return self._call(partial(self._session.update, **changes))

    def __enter__(self) -> Self:
        if self._held is not None:
            raise ClosedError("A session is opened once. Make a new one.")
        self._loop = Loop()
        self._held = Held(self._session, self._loop)
        try:
            self._held.__enter__()
        except BaseException:
            self._loop.end(anyio.lowlevel.checkpoint)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        loop, self._loop = self._loop, None
        if loop is not None and self._held is not None:
            try:
                self._held.__exit__(kind, error, trace)
            finally:
                loop.end(anyio.lowlevel.checkpoint)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> SessionEvent:
        if self._loop is None or self._held is None:
            raise ClosedError("A session is used within a `with` block: with Session(…) as session.")
        return next(self._held)

    def _call(self, function: Callable[[], Awaitable[Result]]) -> Result:
        if self._loop is None:
            raise ClosedError("The session is not open. Use it in `with Session(…) as session`.")
        return self._loop.call(function)


async def _here(function: Callable[[], Result]) -> Result:
    """Call it in the loop's thread, where nothing changes meanwhile."""
    return function()
