"""Going through what an application gives: without blocking the event loop, and closing it at the end."""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Collection, Iterable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from sauropod._runtime.mailbox import in_daemon_thread

__all__ = ["END", "Asked", "closing", "in_thread"]

END = object()
"""What `Asked.next` gives when there is nothing more."""


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
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _inside: bool = False
    _closing: bool = False

    async def next(self) -> Any:
        """What comes next, or `END`."""
        with self._lock:
            self._inside = True
        return await in_daemon_thread(self._advance)

    def close(self) -> None:
        """Close it, now or when the call that is under way returns."""
        with self._lock:
            self._closing = True
            if self._inside:
                return
        self._close()

    def _advance(self) -> Any:
        try:
            return next(self._iterator, END)
        finally:
            with self._lock:
                self._inside, closing = False, self._closing
            if closing:
                self._close()


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
