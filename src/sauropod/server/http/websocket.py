"""/v1/responses over a WebSocket: lanes of responses, each in its order, side by side."""

from __future__ import annotations

from typing import Any

import anyio
import attrs
import msgspec
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from sauropod.server.problems import Problem, invalid, problem_of
from sauropod.server.responding import Responder, Running
from sauropod.server.responding.memory import Memory
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import converted, encoded
from sauropod.server.wire.responses.request import CreateResponse

__all__ = ["routes"]

MOST_LANES, MOST_WAITING = 64, 64
"""Lanes of a connection, and requests that wait in one."""

Lane = str | None


class _Gone(Exception):
    """Nobody is there to receive."""


async def connect(socket: WebSocket) -> None:
    """WS /v1/responses"""
    await socket.accept()
    connection = _Connection(socket, socket.app.state.server, socket.app.state.responder)
    await connection.run()


routes = [WebSocketRoute("/v1/responses", connect)]


@attrs.define(eq=False)
class _Connection:
    """One client. What it does not store is remembered until it leaves."""

    socket: WebSocket
    server: Server
    responder: Responder
    memory: Memory = attrs.field(factory=Memory)
    _lanes: dict[Lane, MemoryObjectSendStream[dict[str, Any]]] = attrs.field(factory=dict)
    _running: dict[Lane, Running] = attrs.field(factory=dict)
    _sending: anyio.Lock = attrs.field(factory=anyio.Lock)

    async def run(self) -> None:
        """Until the client leaves. Then what runs is stopped, but for what runs in the background."""
        try:
            async with anyio.create_task_group() as tasks:
                try:
                    while (message := await self.socket.receive())["type"] != "websocket.disconnect":
                        await self._take(message.get("text") or message.get("bytes") or b"", tasks)
                except _Gone:
                    pass
                tasks.cancel_scope.cancel()
        finally:
            for requests in self._lanes.values():
                requests.close()
            with anyio.CancelScope(shield=True):
                for running in list(self._running.values()):
                    if not running.response.background:
                        await running.stop("incomplete" if self.server.draining else "cancelled")

    async def _take(self, text: str | bytes, tasks: TaskGroup) -> None:
        lane: Lane = None
        try:
            message = _read(text)
            given = message.pop("stream_id", None)
            if given is not None and not isinstance(given, str):
                raise invalid("'stream_id' is a text.", "stream_id", "invalid_type")
            lane, kind = given, message.pop("type", None)
            if kind == "response.create":
                self._queue(lane, message, tasks)
            elif kind == "response.cancel":
                await self._cancel(lane, message.get("response_id"))
            else:
                raise invalid(f"The type is 'response.create' or 'response.cancel'; got {kind!r}.", "type")
        except Problem as problem:
            await self._refuse(problem, lane)

    def _queue(self, lane: Lane, message: dict[str, Any], tasks: TaskGroup) -> None:
        if lane not in self._lanes:
            if len(self._lanes) >= MOST_LANES:
                raise Problem(
                    429, f"A connection has at most {MOST_LANES} lanes.", "rate_limit_error", "too_many_lanes"
                )
            self._lanes[lane], waiting = anyio.create_memory_object_stream[dict[str, Any]](MOST_WAITING)
            tasks.start_soon(self._work, lane, self._lanes[lane], waiting, tasks.cancel_scope)
        try:
            self._lanes[lane].send_nowait(message)
        except anyio.WouldBlock:
            raise Problem(
                429, f"{MOST_WAITING} requests wait in this lane already.", "rate_limit_error", "rate_limit_exceeded"
            ) from None

    async def _work(
        self,
        lane: Lane,
        requests: MemoryObjectSendStream[dict[str, Any]],
        waiting: MemoryObjectReceiveStream[dict[str, Any]],
        connection: anyio.CancelScope,
    ) -> None:
        """Until nothing waits. The next request makes the lane anew."""
        try:
            with waiting, requests:
                while requests.statistics().current_buffer_used:
                    await self._answer(lane, await waiting.receive())
                del self._lanes[lane]
        except _Gone:
            connection.cancel()

    async def _answer(self, lane: Lane, message: dict[str, Any]) -> None:
        """Whatever is wrong with one request is told, and the next is looked at."""
        previous = message.get("previous_response_id")
        try:
            await self._respond(lane, message)
        except _Gone:
            raise
        except Exception as error:
            self.memory.forget(previous if isinstance(previous, str) else None)
            await self._refuse(problem_of(error), lane)

    async def _respond(self, lane: Lane, message: dict[str, Any]) -> None:
        generate = message.pop("generate", None) is not False
        asked = converted(CreateResponse, {**message, "stream": True}, "")
        asked.check()
        running = await self.responder.start(asked, encoded(message), self.memory, generate=generate)
        self._running[lane] = running
        try:
            await running.ready()
            async for payloads in running.tape.read():
                for payload in payloads:
                    await self._send(payload, lane)
            if running.problem is not None:
                self.memory.forget(asked.previous_response_id)
        finally:
            if self._running.get(lane) is running and running.job.ended:
                del self._running[lane]

    async def _cancel(self, lane: Lane, response_id: Any) -> None:
        for running in list(self._running.values()):
            if response_id in (None, running.response.id) and (response_id or self._running.get(lane) is running):
                await running.stop()
                return
        raise invalid("Nothing is running that could be cancelled.", "response_id", "response_not_found")

    async def _refuse(self, problem: Problem, lane: Lane) -> None:
        await self._send(encoded({"type": "error", "status": problem.status, "error": problem.error}), lane)

    async def _send(self, payload: bytes, lane: Lane) -> None:
        if lane is not None:
            payload = b'%b,"stream_id":%b}' % (payload[:-1], encoded(lane))
        async with self._sending:
            try:
                with anyio.fail_after(self.server.patience):
                    await self.socket.send_text(payload.decode())
            except (WebSocketDisconnect, TimeoutError, RuntimeError) as error:
                raise _Gone from error


def _read(text: str | bytes) -> dict[str, Any]:
    try:
        message = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(f"The message is not valid JSON: {error}.") from None
    if not isinstance(message, dict):
        raise invalid("A message is an object with a 'type'.", "type")
    return message
