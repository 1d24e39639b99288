"""EventStream: server-sent events to a client that may be slow, or gone."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import anyio
import attrs
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope, Send

__all__ = ["QUIET", "EventStream", "gone", "sse"]

_log = logging.getLogger("sauropod.server")

KEEP_ALIVE = b": still here\n\n"
"""A comment, which clients skip and proxies count as traffic."""


QUIET = 15.0


def sse(data: bytes, event: str | None = None) -> bytes:
    """One event. `data` has no line breaks, as JSON has none."""
    named = f"event: {event}\n".encode() if event else b""
    return b"%bdata: %b\n\n" % (named, data)


async def gone(receive: Receive) -> None:
    """Returns when the client has closed the connection. What it still sends is not looked at."""
    while (await receive())["type"] != "http.disconnect":
        pass


@attrs.define(eq=False)
class EventStream:
    """An ASGI response. `events` gives pieces as they come, several at once where several are there.

    `closed` is called once, in whatever way it ends. A client that takes nothing for `patience` seconds is let go, and
    one that hears nothing for `quiet` seconds is sent a comment; None sends none, for what is no events.
    """

    events: AsyncIterator[Sequence[bytes]]
    closed: Callable[[], Awaitable[None]] | None = None
    headers: Mapping[str, str] = attrs.field(factory=dict)
    patience: float = 30.0
    quiet: float | None = QUIET
    status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._send, send, tasks.cancel_scope)
                await gone(receive)
                tasks.cancel_scope.cancel()
        finally:
            if self.closed is not None:
                with anyio.CancelScope(shield=True):
                    await self.closed()

    async def _send(self, send: Send, scope: anyio.CancelScope) -> None:
        started: Message = {"type": "http.response.start", "status": self.status, "headers": self._raw_headers()}
        lock = anyio.Lock()
        heard = [anyio.current_time()]

        async def put(data: bytes, more: bool = True) -> None:
            async with lock:
                with anyio.fail_after(self.patience):
                    await send({"type": "http.response.body", "body": data, "more_body": more})
                heard[0] = anyio.current_time()

        async def keep_alive(quiet: float) -> None:
            while True:
                await anyio.sleep_until(heard[0] + quiet)
                if anyio.current_time() >= heard[0] + quiet:
                    await put(KEEP_ALIVE)

        try:
            await send(started)
            async with anyio.create_task_group() as beside:
                if self.quiet is not None:
                    beside.start_soon(keep_alive, self.quiet)
                async for pieces in self.events:
                    await put(b"".join(pieces))
                beside.cancel_scope.cancel()
            await put(b"", more=False)
        except* TimeoutError:
            _log.info("A client took nothing for %g s and was let go.", self.patience)
        except* (ClientDisconnect, OSError):
            pass
        scope.cancel()

    def _raw_headers(self) -> list[tuple[bytes, bytes]]:
        headers = {
            "content-type": "text/event-stream; charset=utf-8",
            "cache-control": "no-cache, no-transform",
            "x-accel-buffering": "no",
            **self.headers,
        }
        return [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
