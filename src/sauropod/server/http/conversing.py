"""Conversing: one client of the Realtime API, and the session that it talks with."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress

import anyio
import attrs
from starlette.websockets import WebSocket, WebSocketDisconnect

from sauropod import Session
from sauropod.server.http.acting import Acting
from sauropod.server.http.speaking import Speaking
from sauropod.server.problems import Problem, problem_of
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.realtime.beta import from_beta, to_beta
from sauropod.server.wire.realtime.client_events import (
    BadEvent,
    ClientEvent,
    UpdateSession,
    event_of,
    plain_event,
    read_event,
)
from sauropod.server.wire.realtime.server_events import ServerEvent
from sauropod.server.wire.realtime.session import AnySession
from sauropod.server.wire.realtime.writer import Writer

__all__ = ["Conversing"]

GOING_AWAY, FAILED, TOO_SLOW = 1001, 1011, 1008
LOOK_AGAIN = 0.1
"""Seconds between two looks at whether the server is about to stop."""
LARGE = 256 * 1024
"""Bytes from which on a message is read in a thread, so that others are not kept waiting."""


@attrs.define(eq=False)
class Conversing:
    """From the first event to the last. What a client sends is done one by one, and taken no faster than it is done.

    The session begins with the first event that is no `session.update`: until then all of it can be chosen, also which
    model speaks.
    """

    socket: WebSocket
    server: Server
    session: AnySession
    """As the client knows it."""
    beta: bool = attrs.field(default=False, kw_only=True)
    writer: Writer = attrs.field(init=False)
    acting: Acting = attrs.field(init=False)
    _sending: anyio.Lock = attrs.field(factory=anyio.Lock)
    _wanted: anyio.Event = attrs.field(factory=anyio.Event)
    _begun: anyio.Event = attrs.field(factory=anyio.Event)
    _scope: anyio.CancelScope = attrs.field(factory=anyio.CancelScope)
    _over: bool = False
    """Nobody is there any more, or the connection is closed."""

    def __attrs_post_init__(self) -> None:
        self.writer = Writer(self.session, self.server.new_id)

    async def run(self) -> None:
        """Until the client leaves, takes nothing for too long, or the server stops."""
        self.server.conversing.add(self)
        try:
            async with AsyncExitStack() as models:
                with self._scope:
                    await self._converse(models)
        except Exception as error:
            await self._fail(error)
        finally:
            self.server.conversing.discard(self)

    async def _converse(self, models: AsyncExitStack) -> None:
        self.acting = Acting(
            self.server, self.session, self.writer, await Speaking.of(self.server, self.session, models)
        )
        await self.acting.open()
        await self._tell(self.writer.opening())
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch)
            tasks.start_soon(self._read)
            await self._wanted.wait()
            async with self.acting.begin() as session:
                self._begun.set()
                await self._pass_on(session)

    async def _pass_on(self, session: Session) -> None:
        async for event in session:
            await self._tell(self.writer.write(event))

    # -- what the client sends -----------------------------------------------------------------------------------------

    async def _read(self) -> None:
        while (message := await self.socket.receive())["type"] != "websocket.disconnect":
            async with self._sending:
                pass  # who takes nothing of what it is told is not listened to either
            await self._take(message.get("text") or message.get("bytes") or b"")
        self._over = True
        self._scope.cancel()

    async def _take(self, data: str | bytes) -> None:
        """Whatever is wrong with one event is told, and the next is looked at."""
        event_id: str | None = None
        try:
            event = await self._event(data)
            event_id = event.event_id
            if not isinstance(event, UpdateSession) and not self._begun.is_set():
                self._wanted.set()
                await self._begun.wait()
            await self._tell(await self.acting.do(event))
        except BadEvent as bad:
            await self._tell([self.writer.error(bad.problem, bad.event_id)])
        except Exception as error:
            problem = problem_of(error)
            if problem.status >= 500 and not isinstance(error, Problem):
                self.server.log.error("A session's event failed: %s", problem, exc_info=error)
            await self._tell([self.writer.error(problem, event_id)])

    async def _event(self, data: str | bytes) -> ClientEvent:
        """Raises `BadEvent`."""
        if self.beta:
            return event_of(from_beta(plain_event(data)))
        if len(data) < LARGE:
            return read_event(data)
        return await anyio.to_thread.run_sync(read_event, data)

    # -- what it is told -----------------------------------------------------------------------------------------------

    async def _tell(self, events: Iterable[ServerEvent]) -> None:
        for event in events:
            payload = to_beta(event) if self.beta else event
            if payload is not None:
                await self._send(encoded(payload).decode())

    async def _send(self, text: str) -> None:
        try:
            with anyio.fail_after(self.server.patience):
                async with self._sending:
                    await self.socket.send_text(text)
        except TimeoutError:
            self.server.log.info("A client took nothing for %g s and was let go.", self.server.patience)
            await self._close(TOO_SLOW, "Nothing of what was sent was taken.")
        except (WebSocketDisconnect, RuntimeError):
            self._over = True
            self._scope.cancel()

    # -- the end -------------------------------------------------------------------------------------------------------

    async def _watch(self) -> None:
        """Close the connection once the server is to stop and no reply is under way."""
        while not self.server.draining or self.writer.busy:
            await anyio.sleep(LOOK_AGAIN)
        await self._close(GOING_AWAY, "The server is about to stop.")

    async def _fail(self, error: Exception) -> None:
        """The session could not begin, or died: that is told before the connection is closed."""
        problem = problem_of(error)
        self.server.log.error("A session failed: %s", problem, exc_info=error)
        await self._tell([self.writer.error(problem, None)])
        await self._close(FAILED, problem.message)

    async def _close(self, code: int, reason: str) -> None:
        if not self._over:
            self._over = True
            with anyio.move_on_after(1, shield=True), suppress(WebSocketDisconnect, RuntimeError):
                await self.socket.close(code, reason.encode()[:120].decode(errors="ignore"))
        self._scope.cancel()
