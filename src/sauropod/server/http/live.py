"""Live: an answer that is told while it is written, as server-sent events without names."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeAlias

import anyio
import attrs
from starlette.requests import Request

from sauropod.server.http.calls import server_of, unless_gone
from sauropod.server.http.streaming import EventStream, sse
from sauropod.server.http.tape import Tape
from sauropod.server.jobs import Job
from sauropod.server.problems import Problem, problem_of
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import encoded

__all__ = ["Tell", "streamed"]

Tell: TypeAlias = Callable[[Iterable[Any]], None]
"""Takes values that the client is to be sent, one an event."""

DONE = sse(b"[DONE]")
"""What OpenAI's streams end with."""


async def streamed(request: Request, write: Callable[[Tell], Awaitable[object]]) -> EventStream:
    """What `write` tells, sent while it goes on; `[DONE]` ends it. It is cancelled when the client leaves.

    Raises what goes wrong before the first value is told. What goes wrong after that is the last event.
    """
    server = server_of(request)
    telling = _Telling(server, write)
    job = Job.start(server.tasks, telling.run)

    async def begun() -> None:
        try:
            await telling.begun.wait()
        except BaseException:
            with anyio.CancelScope(shield=True):
                await job.cancel()
            raise

    await unless_gone(request, begun)
    if telling.problem is not None:
        raise telling.problem
    return EventStream(job.tape.read(), closed=job.cancel, patience=server.patience)


@attrs.define(eq=False)
class _Telling:
    """The work of it."""

    server: Server
    write: Callable[[Tell], Awaitable[object]]
    begun: anyio.Event = attrs.field(factory=anyio.Event)
    """Set when there is something to send, or will be nothing."""
    problem: Problem | None = None
    """Why there is nothing."""

    async def run(self, tape: Tape) -> None:
        def tell(values: Iterable[Any]) -> None:
            if pieces := [sse(encoded(value)) for value in values]:
                tape.write(*pieces)
                self.begun.set()

        try:
            await self.write(tell)
            tape.write(DONE)
        except Exception as error:
            self._fail(error, tape)
        finally:
            self.begun.set()

    def _fail(self, error: Exception, tape: Tape) -> None:
        problem = problem_of(error)
        if not self.begun.is_set():
            self.problem = problem
            return
        if problem.status >= 500:
            self.server.log.error("A stream failed: %s", problem, exc_info=error)
        tape.write(sse(problem.body()))
