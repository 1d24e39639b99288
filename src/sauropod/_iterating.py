"""Going through what an application gives: without blocking the event loop, and closing it at the end."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread

__all__ = ["closing", "in_thread"]


@asynccontextmanager
async def closing(given: AsyncIterable[Any]) -> AsyncGenerator[AsyncIterable[Any], None]:
    """Close it afterwards, if it can be closed: a generator, or a stream of an engine's, which stops writing then."""
    try:
        yield given
    finally:
        if hasattr(given, "aclose"):
            await given.aclose()


async def in_thread(given: Iterable[Any]) -> AsyncGenerator[Any, None]:
    """What it gives, one by one. Collections are at hand; anything else is asked in a thread.

    Cancelling leaves a call that blocks to itself.
    """
    if isinstance(given, Collection):
        for each in given:
            yield each
        return
    iterator, end = iter(given), object()

    def advance() -> Any:
        return next(iterator, end)

    while (each := await anyio.to_thread.run_sync(advance, abandon_on_cancel=True)) is not end:
        yield each
