"""What endpoints share: the server they belong to, the body of a request, answers as JSON, and clients that leave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message

from sauropod.server.http.streaming import gone
from sauropod.server.problems import Problem

if TYPE_CHECKING:
    from sauropod.server.responding import Responder
    from sauropod.server.serving import Server

__all__ = ["answer", "body_of", "form_of", "responder_of", "server_of", "unless_gone", "whole_size"]

T = TypeVar("T")


def server_of(request: Request) -> Server:
    """The server that is asked."""
    server: Server = request.app.state.server
    return server


def responder_of(request: Request) -> Responder:
    """What makes responses there."""
    responder: Responder = request.app.state.responder
    return responder


async def body_of(request: Request) -> bytes:
    """The whole body. Raises `Problem`: 413 as soon as it is too large, 408 when it does not come."""
    limit = server_of(request).body_limit
    declared = request.headers.get("content-length", "0")
    size = int(declared) if declared.isdecimal() else 0
    parts: list[bytes] = []
    if size <= limit:
        size = 0
        stream = aiter(request.stream())
        while (part := await _part(stream, server_of(request).patience)) is not None:
            size += len(part)
            if size > limit:
                break
            parts.append(part)
    if size > limit:
        raise Problem(
            413, f"The body is larger than the {limit:,} bytes that are taken here.", code="body_too_large", retry=False
        )
    return b"".join(parts)


async def _part(stream: AsyncIterator[bytes], patience: float) -> bytes | None:
    try:
        with anyio.fail_after(patience):
            return await anext(stream, None)
    except TimeoutError:
        raise _too_slow(patience) from None


def _too_slow(patience: float) -> Problem:
    return Problem(408, f"Nothing more of the body came within {patience:g} s.", code="too_slow")


def form_of(request: Request, patience: float, **limits: int) -> Any:
    """The form of a request, to be awaited or entered. Raises `Problem` 408 when it does not come."""
    receive = request.receive

    async def patient() -> Message:
        try:
            with anyio.fail_after(patience):
                return await receive()
        except TimeoutError:
            raise _too_slow(patience) from None

    return Request(request.scope, patient).form(**limits)


def whole_size(request: Request, limit: int) -> None:
    """Raises `Problem`. What sends no length is refused: there is no telling where it ends."""
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        raise Problem(411, "A file is sent with a content-length.", code="length_required", retry=False)
    if int(length) > limit:
        raise Problem(413, f"A file may have {limit:,} bytes here.", code="file_too_large", retry=False)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A value as JSON: a Struct, or plain data."""
    return Response(msgspec.json.encode(value), status, headers, "application/json")


async def unless_gone(request: Request, work: Callable[[], Awaitable[T]]) -> T:
    """What `work` gives. It is cancelled, and `ClientDisconnect` raised, when the client leaves first.

    The body has to have been read.
    """
    found: list[T] = []
    failed: list[Exception] = []

    async def run(scope: anyio.CancelScope) -> None:
        try:
            found.append(await work())
        except Exception as error:  # outside of the group it is itself again
            failed.append(error)
        scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, tasks.cancel_scope)
        await gone(request.receive)
        tasks.cancel_scope.cancel()
    if failed:
        raise failed[0]
    if not found:
        raise ClientDisconnect
    return found[0]
