"""Job: work that goes on whether or not a client is there to see it, and writes what it does on a tape."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
import attrs
from anyio.abc import TaskGroup

from sauropod.server.http.tape import Tape

__all__ = ["Job"]

_log = logging.getLogger("sauropod.server")


@attrs.define(eq=False)
class Job:
    """One such work. It ends by itself, or when it is cancelled; its tape ends with it."""

    tape: Tape = attrs.field(factory=Tape)
    _scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    _done: anyio.Event = attrs.field(factory=anyio.Event)

    @classmethod
    def start(cls, tasks: TaskGroup, work: Callable[[Tape], Awaitable[None]]) -> Job:
        """`work` is given the tape. It sees to its own errors."""
        job = cls()
        tasks.start_soon(job._run, work)
        return job

    @property
    def ended(self) -> bool:
        return self._done.is_set()

    async def cancel(self) -> None:
        """Stop it, and wait until it has let go of what it held."""
        self._scope.cancel()
        await self._done.wait()

    async def wait(self) -> None:
        """Until it has ended."""
        await self._done.wait()

    async def _run(self, work: Callable[[Tape], Awaitable[None]]) -> None:
        try:
            with self._scope:
                await work(self.tape)
        except Exception:
            _log.exception("A job failed without telling its client.")
        finally:
            self.tape.end()
            self._done.set()
