"""Going through what an application gives: without blocking the event loop, and closing it at the end."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any, Self

import anyio.lowlevel
import attrs

from sauropod._audio import AudioLimits, AudioSource, AudioStream, is_at_hand, open_audio
from sauropod._mailbox import in_daemon_thread
from sauropod._values.audio import AudioFrame

__all__ = ["END", "Asked", "Reading", "closing", "in_thread"]

END = object()
"""What `Asked.next` gives when there is nothing more."""
PATIENCE = 0.01
"""Seconds for which one thread reads audio: a thread for each second of it costs more than reading does. Who gives
audio as slowly as it is recorded is waited for no more than once."""
MOST = 16
"""Frames of audio that are read ahead."""


@asynccontextmanager
async def closing(given: AsyncIterable[Any]) -> AsyncGenerator[AsyncIterable[Any], None]:
    """Close it afterwards, if it can be closed: a generator, or a stream of an engine's, which stops writing then."""
    try:
        yield given
    finally:
        if hasattr(given, "aclose"):
            await given.aclose()


@attrs.define(eq=False)
class Asked:
    """An iterator that may block: it is asked in threads, which do not keep a program from ending.

    Cancelling leaves a call that blocks to itself. It is closed when nobody is inside of it: by `close`, or by the call
    that was left to itself, when that returns.
    """

    _iterator: Iterator[Any]
    _close: Callable[[], object]
    _blocks: bool = True
    """One that does not is asked where it is wanted: a thread costs more than its answer."""
    _patience: float = 0.0
    """For how many seconds one thread goes on asking; with 0 nothing is asked for before it is wanted."""
    _ready: deque[Any] = attrs.field(factory=deque)
    """What has come and is not wanted yet."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _inside: bool = False
    _closing: bool = False

    async def next(self) -> Any:
        """What comes next, or `END`."""
        if not self._ready and self._blocks:
            with self._lock:
                self._inside = True
            self._ready.extend(await in_daemon_thread(self._advance))
        else:
            await anyio.lowlevel.checkpoint()  # between any two, others have their turn
        return self._ready.popleft() if self._ready else next(self._iterator, END)

    def close(self) -> None:
        """Close it, now or when the call that is under way returns."""
        with self._lock:
            self._closing = True
            if self._inside:
                return
        self._close()

    def _advance(self) -> list[Any]:
        try:
            return self._some()
        finally:
            with self._lock:
                self._inside, closing = False, self._closing
            if closing:
                self._close()

    def _some(self) -> list[Any]:
        until = time.monotonic() + self._patience
        taken = [next(self._iterator, END)]
        while taken[-1] is not END and len(taken) < MOST and time.monotonic() < until:
            taken.append(next(self._iterator, END))
        return taken


@attrs.define(eq=False)
class Reading:
    """The frames of some audio, which is opened when the first is asked for."""

    _audio: AudioSource
    _rate: int
    _sample_rate: int | None = None
    _limits: AudioLimits = attrs.field(factory=AudioLimits)
    _stream: AudioStream | None = attrs.field(init=False, default=None)

    @property
    def declared(self) -> float | None:
        """How many seconds it says it has; None where it does not, or is not open."""
        return None if self._stream is None else self._stream.declared

    def asked(self) -> Asked:
        """Who is asked for the frames, and has to be closed. What is at hand is read where it is wanted."""
        return Asked(self, self.close, blocks=not is_at_hand(self._audio), patience=PATIENCE)

    def close(self) -> None:
        if self._stream is not None:
            self._stream.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AudioFrame:
        if self._stream is None:
            self._stream = open_audio(self._audio, rate=self._rate, sample_rate=self._sample_rate, limits=self._limits)
        return next(self._stream)


async def in_thread(given: Iterable[Any]) -> AsyncGenerator[Any, None]:
    """What it gives, one by one. Collections are at hand; anything else is asked in a thread, and closed at the end.

    A file is not closed: whoever opened it may have plans.
    """
    if isinstance(given, Collection):
        for each in given:
            yield each
        return
    asked = Asked(iter(given), _closer(given))
    try:
        while (each := await asked.next()) is not END:
            yield each
    finally:
        asked.close()


def _closer(given: Any) -> Callable[[], object]:
    close = getattr(given, "close", None)
    return close if callable(close) and not hasattr(given, "read") else lambda: None
