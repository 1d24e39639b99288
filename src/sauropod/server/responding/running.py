"""Running: one response that is being written."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import anyio
import attrs

from sauropod import Finished, Message
from sauropod.server.http.tape import Tape
from sauropod.server.jobs import Job
from sauropod.server.problems import Problem, problem_of
from sauropod.server.responding.recorder import Recorder
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.responses.events import LAST, Event, StreamError
from sauropod.server.wire.responses.response import Response, ResponseStatus
from sauropod.server.wire.responses.writer import ResponseWriter

__all__ = ["Running", "Work"]

SETTLING = 2.0
"""Seconds after which a response is told of though nothing of it is written yet: so long, what is wrong with it is an
error, and later it is a response that failed."""


@attrs.frozen
class Work:
    """What there is to do."""

    model: str
    messages: Sequence[Message]
    options: dict[str, Any]
    items: Sequence[dict[str, Any]]
    """What of the input is to be kept with it."""
    request: bytes
    expires: int | None
    background: bool
    generate: bool = True


@attrs.define(eq=False)
class Running:
    """A response on its way. Its tape has what is told of it, as JSON; what is to be kept is kept before it is told."""

    server: Server
    work: Work
    writer: ResponseWriter
    recorder: Recorder | None
    """None for what is not stored."""
    job: Job = attrs.field(init=False)
    problem: Problem | None = None
    """Why it failed, once it has."""
    settled: anyio.Event = attrs.field(factory=anyio.Event)
    """Set when it is certain whether it can be told of at all."""
    _stopping: ResponseStatus = "incomplete"
    _pending: list[bytes] = attrs.field(factory=list)
    _released: bool = False
    _ended: bool = False

    @property
    def response(self) -> Response:
        return self.writer.response

    @property
    def tape(self) -> Tape:
        return self.job.tape

    def start(self, ended: Callable[[], None]) -> None:
        """Begin, in the server's own tasks. `ended` is called at the end, before anybody is told."""

        async def work(tape: Tape) -> None:
            try:
                await self._run(tape)
            finally:
                ended()

        self.job = Job.start(self.server.tasks, work)

    async def ready(self) -> None:
        """Until it can be told of. Raises `Problem` if it cannot."""
        await self.settled.wait()
        if self.problem is not None and not self._released:
            raise self.problem

    async def whole(self) -> Response:
        """The response at its end. Raises `Problem` if it failed."""
        await self.job.wait()
        if self.problem is not None:
            raise self.problem
        return self.response

    async def stop(self, status: ResponseStatus = "cancelled") -> None:
        """Stop it from outside, and wait until that is kept."""
        self._stopping = status
        await self.job.cancel()

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _run(self, tape: Tape) -> None:
        self._tell(self.writer.begin())
        try:
            await self._write(tape)
        except anyio.get_cancelled_exc_class():
            # What waits in the background when the server is stopped goes on waiting.
            if not self._ended and (self.response.status != "queued" or self._stopping == "cancelled"):
                with anyio.CancelScope(shield=True):
                    await self._end(tape, self.writer.stop(self._stopping))
            raise
        except Exception as error:
            self.problem = problem_of(error)
            if self.problem.status == 500 and self.problem.code == "server_error":
                self.server.log.exception("%s failed.", self.response.id)
            with anyio.CancelScope(shield=True):
                await self._failed(tape, self.problem)
        finally:
            self.settled.set()

    async def _write(self, tape: Tape) -> None:
        if self.recorder is not None:
            await self.recorder.begin(self.response, self.work.items, self.work.request, self.work.expires)
        if self.work.background:
            self._release(tape)
        async with anyio.create_task_group() as beside:
            beside.start_soon(self._settle, tape)
            if self.recorder is not None and self.recorder.logged:
                beside.start_soon(self.recorder.keep_logging, self.response)
            last = await self._generate(tape)
            beside.cancel_scope.cancel()
        await self._end(tape, last)

    async def _generate(self, tape: Tape) -> Sequence[Event]:
        """The events of its end."""
        if not self.work.generate:
            return self.writer.prepared(self._now())
        async with self.server.catalog.use(self.work.model) as served:
            self.writer.live_calls = served.holds_calls
            async with served.engine.stream(list(self.work.messages), **self.work.options) as stream:
                async for event in stream:
                    if self.response.status == "queued":
                        self._tell(self.writer.start())
                        if self.recorder is not None:
                            await self.recorder.keep(self.response)  # so that it is never begun again
                    told = self.writer.take(event, self._now())
                    if isinstance(event, Finished):
                        return told
                    self._tell(told)
                    self._release(tape)
        raise Problem(500, "The model's answer has no end.", "server_error", "server_error")

    async def _settle(self, tape: Tape) -> None:
        await anyio.sleep(SETTLING)
        self._release(tape)

    def _tell(self, events: Sequence[Event]) -> None:
        """Encoded at once, since the response goes on changing."""
        told = [encoded(event) for event in events]
        if self.recorder is not None:
            self.recorder.note(told)
        if self._released:
            self.tape.write(*told)
        else:
            self._pending += told

    def _release(self, tape: Tape) -> None:
        if not self._released:
            self._released = True
            tape.write(*self._pending)
            self._pending.clear()
            self.settled.set()

    async def _end(self, tape: Tape, events: Sequence[Event]) -> None:
        """What is told last is told after it is kept. Who leaves now comes too late to change it."""
        assert isinstance(events[-1], LAST)
        self._ended = True
        told = [encoded(event) for event in events]
        if self.recorder is not None:
            self.recorder.note(told)
            try:
                with anyio.CancelScope(shield=True):
                    await self.recorder.finish(self.response)
            except Exception as error:
                self.server.unkept.append(partial(self.recorder.finish, self.response))
                self._not_kept(tape, events[0].sequence_number, problem_of(error))
                raise
        self._release(tape)
        tape.write(*told)

    def _not_kept(self, tape: Tape, number: int, problem: Problem) -> None:
        """Its end could not be kept, and so is not told."""
        if self._released:
            tape.write(
                encoded(
                    StreamError(sequence_number=number, code=problem.code, message=problem.message, param=problem.param)
                )
            )

    async def _failed(self, tape: Tape, problem: Problem) -> None:
        """Before anything was told, it never was; after that it has failed."""
        if self._ended:
            return
        if self._released:
            await self._end(tape, self.writer.fail(problem, self._now()))
        elif self.recorder is not None:
            await self.recorder.forget(self.response.id)

    def _now(self) -> int:
        return int(self.server.now())
