"""Kept: something that is opened when first wanted, stays open while it is used, and is let go some time after."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Generic, Protocol, Self, TypeVar

import anyio
import attrs
from anyio.abc import TaskGroup

from sauropod.errors import ClosedError

__all__ = ["Kept", "Opens"]

_log = logging.getLogger("sauropod.server")


class Opens(Protocol):
    """What can be kept: an `Engine`, a `Voice`, a `Transcriber`."""

    async def open(self) -> Self: ...

    async def aclose(self) -> None: ...


T = TypeVar("T", bound=Opens)


@attrs.define(eq=False)
class Kept(Generic[T]):
    """One such thing. Whoever opens it may be cancelled: it goes on being opened, and others wait for it too.

    `keep_alive` are the seconds it stays open unused; None is for ever.
    """

    name: str
    make: Callable[[], T]
    tasks: TaskGroup
    keep_alive: float | None = None
    _open: T | None = None
    _moving: anyio.Event | None = None
    """Set when the opening or closing that is under way has come to its end."""
    _error: Exception | None = None
    _users: int = 0
    _bringing: anyio.CancelScope | None = None
    _later: anyio.CancelScope | None = None
    """Of the wait before it is let go."""

    @property
    def open(self) -> T | None:
        """The thing, while it is open."""
        return self._open

    @asynccontextmanager
    async def use(self) -> AsyncIterator[T]:
        """The thing, opened. Raises what its opening raised."""
        self._users += 1
        self._idle()
        try:
            yield await self._ready()
        finally:
            self._users -= 1
            self._idle()

    async def shut(self) -> None:
        """Let it go, and do not wait until it has been opened if it is just being."""
        if self._bringing is not None:
            self._bringing.cancel()
        await self.close()

    async def close(self) -> None:
        """Let it go now, or as soon as it has been opened."""
        while self._moving is not None:
            await self._moving.wait()
        found, self._open = self._open, None
        if found is None:
            return
        self._moving = closed = anyio.Event()
        try:
            await found.aclose()
        finally:
            self._moving = None
            closed.set()

    async def let_go(self) -> bool:
        """Let it go, unless somebody uses it. Whether it is gone."""
        if self._users:
            return False
        await self.close()
        return True

    async def _ready(self) -> T:
        while self._open is None:
            if self._moving is None:
                self._moving = anyio.Event()
                self.tasks.start_soon(self._bring, self._moving)
            await self._moving.wait()
            if self._open is None and self._error is not None:
                raise self._error
        return self._open

    async def _bring(self, opened: anyio.Event) -> None:
        self._error = None
        _log.info("Opening %s.", self.name)
        started = anyio.current_time()
        self._bringing = anyio.CancelScope()
        try:
            with self._bringing:
                self._open = await self.make().open()
                self._idle()  # whoever wanted it may have left
                _log.info("%s is open, after %.1f s.", self.name, anyio.current_time() - started)
            if self._open is None:
                self._error = ClosedError(f"The server is stopping, and {self.name} was not open yet.")
        except Exception as error:
            self._error = error
            _log.warning("%s could not be opened: %s", self.name, error)
        finally:
            self._moving = self._bringing = None
            opened.set()

    def _idle(self) -> None:
        if self._later is not None:
            self._later.cancel()
            self._later = None
        if not self._users and self._open is not None and self.keep_alive is not None:
            self._later = anyio.CancelScope()
            self.tasks.start_soon(self._let_go_after, self.keep_alive, self._later)

    async def _let_go_after(self, seconds: float, later: anyio.CancelScope) -> None:
        with later:
            await anyio.sleep(seconds)
        if not later.cancel_called and not self._users:
            _log.info("%s was not used for %g s and is let go.", self.name, seconds)
            await self.close()
