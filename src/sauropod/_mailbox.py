"""Between threads and tasks: a queue that wakes an event loop, asyncio's or trio's, without a thread hop."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, NoReturn, TypeVar

import anyio
import attrs

__all__ = ["Mailbox", "in_daemon_thread"]

Letter = TypeVar("Letter")
Result = TypeVar("Result")


@attrs.define(eq=False)
class Mailbox(Generic[Letter]):
    """Made in a task, filled from any thread, emptied by tasks of the loop it was made in.

    Whoever fills it never waits. With `most` the oldest letters make way for new ones; without, what is put into it is
    bounded by the request it belongs to.
    """

    most: int | None = None
    lost: int = attrs.field(default=0, init=False)
    """How many had to make way."""
    _letters: deque[Letter] = attrs.field(factory=deque)
    _arrived: anyio.Event | None = None
    _call_soon: Callable[..., Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._call_soon = _loop_entry()

    def put(self, letter: Letter) -> None:
        """Leave a letter. A loop that has ended gets none."""
        self._letters.append(letter)
        if self.most is not None and len(self._letters) > self.most:
            self._letters.popleft()
            self.lost += 1
        arrived = self._arrived
        if arrived is not None:
            with contextlib.suppress(RuntimeError):  # asyncio's and trio's way to say that the loop is closed
                self._call_soon(arrived.set)

    async def get(self) -> Letter:
        """The oldest letter; waits for one."""
        while not self._letters:
            self._arrived = anyio.Event()
            if not self._letters:  # one may have come before there was an event to set
                await self._arrived.wait()
            self._arrived = None
        return self._letters.popleft()


async def in_daemon_thread(function: Callable[[], Result]) -> Result:
    """The result of a function that may take long, and that nobody can interrupt.

    Cancelling leaves it to itself. Unlike anyio's own threads this one does not keep a program from ending.
    """
    mailbox: Mailbox[Callable[[], Result]] = Mailbox()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            failure = error
            mailbox.put(lambda: _raise(failure))
        else:
            mailbox.put(lambda: result)

    threading.Thread(target=run, name="sauropod-call", daemon=True).start()
    return (await mailbox.get())()


def _raise(error: BaseException) -> NoReturn:
    raise error


def _loop_entry() -> Callable[..., Any]:
    """How another thread gets the running event loop to call a function."""
    if "trio" in sys.modules:
        import trio

        with contextlib.suppress(RuntimeError):
            return trio.lowlevel.current_trio_token().run_sync_soon
    import asyncio  # running already, or the import of the library would pay for it

    return asyncio.get_running_loop().call_soon_threadsafe
