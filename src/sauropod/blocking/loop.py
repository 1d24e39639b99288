"""An event loop in a thread of its own, and calls on it that can be given up."""

from __future__ import annotations

import os
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

import anyio
from anyio.from_thread import BlockingPortal

from sauropod.errors import ClosedError, SauropodError

__all__ = ["Caller", "Loop"]

Result = TypeVar("Result")


class Caller(Protocol):
    """Runs a coroutine function somewhere else, and waits for it."""

    def __call__(self, function: Callable[[], Awaitable[Result]]) -> Result: ...


class Loop:
    """An event loop in a thread of its own, until `end`.

    anyio's own portal is ended by whoever forgets it; in a forked process, which has no such thread, that would hang.
    """

    def __init__(self) -> None:
        started: Future[BlockingPortal] = Future()

        async def serve() -> None:
            async with BlockingPortal() as portal:
                started.set_result(portal)
                await portal.sleep_until_stopped()

        def run() -> None:
            try:
                anyio.run(serve)
            except BaseException as error:
                if not started.done():
                    started.set_exception(error)

        self._thread = threading.Thread(target=run, name="sauropod-loop", daemon=True)
        self._thread.start()
        self._portal = started.result()
        self._process = os.getpid()
        self._ended = False

    def call(self, function: Callable[[], Awaitable[Result]]) -> Result:
        """Run a coroutine function on the loop. Ctrl-C here cancels it there."""
        if self._process != os.getpid():
            raise ClosedError("It was opened before this process was forked. Open a new one.")
        call = Call(function)
        try:
            return self._portal.start_task_soon(call.run).result()
        except BaseException as error:
            call.give_up(self._portal)
            if self._ended and isinstance(error, Exception) and not isinstance(error, SauropodError):
                raise ClosedError("It was closed during this call.") from None
            raise

    def start(self, function: Callable[[], Awaitable[None]]) -> Future[None]:
        """Run a coroutine function on the loop, without waiting for its end."""
        if self._process != os.getpid():
            raise ClosedError("It was opened before this process was forked. Open a new one.")
        try:
            return self._portal.start_task_soon(function)
        except RuntimeError:
            raise ClosedError("It has been closed. Open a new one.") from None

    @property
    def is_elsewhere(self) -> bool:
        """Whether this is a forked copy of the process that it runs in."""
        return self._process != os.getpid()

    def end(self, last: Callable[[], Awaitable[None]]) -> None:
        """Run a last coroutine function, and end the loop with whatever an interrupt may have left running on it."""
        if self._process != os.getpid():
            return
        try:
            self._portal.call(last)
        finally:
            self._ended = True
            self._portal.call(self._portal.stop, True)
            self._thread.join()


class Call(Generic[Result]):
    """A call on the loop that can be given up at any moment, also while it is being handed over."""

    def __init__(self, function: Callable[[], Awaitable[Result]]) -> None:
        self._function = function
        self._scope: anyio.CancelScope | None = None
        self._given_up = self._done = False

    async def run(self) -> Result:
        with anyio.CancelScope() as self._scope:
            if self._given_up:
                self._scope.cancel()
            try:
                return await self._function()
            finally:
                self._done = True
        raise ClosedError("The call was given up.")  # its caller was interrupted: nobody sees this

    def give_up(self, portal: BlockingPortal) -> None:
        """Cancel it where it runs; nothing, once it is done."""
        self._given_up = True
        if self._scope is not None and not self._done:
            with suppress(RuntimeError):  # the loop has ended
                portal.start_task_soon(self._scope.cancel)
