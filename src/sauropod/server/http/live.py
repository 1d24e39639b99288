"""Live: an answer that is told while it is written, as server-sent events without names."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import anyio
import attrs
from starlette.requests import Request

from sauropod.server.http.calls import server_of, unless_gone
from sauropod.server.http.streaming import QUIET, EventStream, sse
from sauropod.server.http.tape import Tape
from sauropod.server.jobs import Job
from sauropod.server.problems import Problem, problem_of
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import encoded

__all__ = ["Tell", "Write", "streamed", "told"]

Tell: TypeAlias = Callable[[Iterable[Any]], None]
"""Takes values that the client is to be sent, one an event."""


class Write(Protocol):
    """Takes bytes that the client is to be sent."""

    def __call__(self, *pieces: bytes) -> None: ...


DONE = sse(b"[DONE]")
"""What OpenAI's streams end with."""


async def streamed(request: Request, tell: Callable[[Tell], Awaitable[object]]) -> EventStream:
    """What `tell` tells, sent while it goes on; `[DONE]` ends it. It is cancelled when the client leaves.

    Raises what goes wrong before the first value is told. What goes wrong after that is the last event.
    """

    async def write_events(write: Write) -> None:
        def each(values: Iterable[Any]) -> None:
            write(*[sse(encoded(value)) for value in values])

        await tell(each)
        write(DONE)

    return await told(request, write_events)


async def told(
    request: Request,
    work: Callable[[Write], Awaitable[object]],
    headers: Mapping[str, str] | None = None,
    *,
    plain: bool = False,
    closed: Callable[[], Awaitable[None]] | None = None,
) -> EventStream:
    """What `work` writes, sent while it goes on. It is cancelled when the client leaves; `closed` is called at its end.

    Raises what goes wrong before the first piece is written. After that it is the last event; or with `plain`, where
    there are no events, the connection breaks off.
    """
    server = server_of(request)
    telling = _Telling(server, work, plain)
    job = Job.start(server.tasks, telling.run)

    async def ended() -> None:
        with anyio.CancelScope(shield=True):
            await job.cancel()
            if closed is not None:
                await closed()

    async def begun() -> None:
        try:
            await telling.begun.wait()
        except BaseException:
            await ended()
            raise

    await unless_gone(request, begun)
    if telling.problem is not None:
        await ended()
        raise telling.problem
    quiet = None if plain else QUIET
    return EventStream(telling.read(job.tape), ended, headers or {}, patience=server.patience, quiet=quiet)


@attrs.define(eq=False)
class _Telling:
    """The work of it."""

    server: Server
    work: Callable[[Write], Awaitable[object]]
    plain: bool
    begun: anyio.Event = attrs.field(factory=anyio.Event)
    """Set when there is something to send, or will be nothing."""
    problem: Problem | None = None
    """Why there is nothing."""
    broken: bool = False
    """Whether there is less than there should be, and no way to say so."""

    async def run(self, tape: Tape) -> None:
        def write(*pieces: bytes) -> None:
            if pieces:
                tape.write(*pieces)
                self.begun.set()

        try:
            await self.work(write)
        except Exception as error:
            self._fail(error, tape)
        finally:
            self.begun.set()

    async def read(self, tape: Tape) -> AsyncIterator[Sequence[bytes]]:
        async for pieces in tape.read():
            yield pieces
        if self.broken:
            raise ConnectionAbortedError

    def _fail(self, error: Exception, tape: Tape) -> None:
        problem = problem_of(error)
        if not self.begun.is_set():
            self.problem = problem
            return
        if problem.status >= 500:
            self.server.log.error("A stream failed: %s", problem, exc_info=error)
        if self.plain:
            self.broken = True
        else:
            tape.write(sse(problem.body()))
