"""What is opened on a loop and closed with it: nouns, and streams within a `with` block."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import anyio

from sauropod._flow import Flow
from sauropod._opening import Openable
from sauropod.blocking.loop import Loop
from sauropod.errors import ClosedError

__all__ = ["Held", "Opened"]

Result = TypeVar("Result")
Noun = TypeVar("Noun", bound=Openable[Any])
Event = TypeVar("Event")


class Opened(Generic[Noun]):
    """The life of a noun: made, opened, closed."""

    def __init__(self, noun: Noun) -> None:
        self._noun = noun
        self._loop: Loop | None = None
        self._changing = threading.Lock()

    def open(self) -> Self:
        """Load the model. `with` does this, if it has not been done."""
        with self._changing:
            if self._loop is not None:
                raise ClosedError(f"{self._noun._article} is opened once. Make a new one.")
            self._loop = Loop()
        try:
            self._call(self._noun.open)
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        """Unload the model and give its memory back. Requests of other threads fail with `ClosedError`."""
        with self._changing:
            loop, self._loop = self._loop, None
        if loop is not None:
            loop.end(self._noun.aclose)

    def __enter__(self) -> Self:
        return self if self._loop is not None else self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, function: Callable[[], Awaitable[Result]]) -> Result:
        return self._running.call(function)

    @property
    def _running(self) -> Loop:
        loop = self._loop
        if loop is None:
            name = self._noun._noun
            raise ClosedError(f"The {name} is not open. Use it in `with`, or call {name}.open().")
        return loop


class Held(Generic[Event]):
    """A stream that is open on the loop as long as the `with` block lasts here."""

    def __init__(self, stream: Flow[Event], loop: Loop) -> None:
        self._stream = stream
        self._loop = loop
        self._held: Future[None] | None = None
        self._closing: anyio.Event | None = None

    def __enter__(self) -> Self:
        if self._held is not None:
            raise ClosedError("A stream is opened once. Make a new one.")
        opened: Future[None] = Future()

        async def hold() -> None:
            try:
                self._closing = anyio.Event()
                async with self._stream:
                    opened.set_result(None)
                    await self._closing.wait()
            finally:
                if not opened.done():
                    opened.set_exception(ClosedError("The stream could not be opened."))

        self._held = self._loop.start(hold)
        opened.result()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        closing = self._closing
        if self._held is None or closing is None or self._loop.is_elsewhere:
            return  # never opened, or opened before this process was forked

        async def close() -> None:
            closing.set()

        with suppress(ClosedError, RuntimeError):  # it ended with what it is a stream of
            self._loop.call(close)
        with suppress(CancelledError):
            self._held.result()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        if self._held is None:
            raise ClosedError("This is streamed within a `with` block: with ….stream(…) as stream.")
        try:
            return self._loop.call(self._stream.__anext__)
        except StopAsyncIteration:
            raise StopIteration from None
