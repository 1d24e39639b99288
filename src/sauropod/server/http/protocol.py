"""Protocol: HTTP on a connection, with limits to how much a request's head may be, and how slowly it may come."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sauropod.server.problems import Problem

__all__ = ["protocol"]


def protocol(head_limit: int, patience: float) -> type[HttpToolsProtocol]:
    """For uvicorn's `http`. A head has so many bytes at most, and comes within so many seconds."""

    class Limited(_Limited):
        limit, seconds = head_limit, patience

    return Limited


class _Limited(HttpToolsProtocol):
    limit: int
    seconds: float

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._received = 0
        self._late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._head_begins()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_ends()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._late is not None:
            self._received += len(data)
            if self._received > self.limit:
                self._refuse_large()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head_begins()

    def on_headers_complete(self) -> None:
        self._head_ends()
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > self.limit:
            self._refuse_large()
        else:
            super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """As uvicorn calls it for what is no HTTP."""
        self._refuse(Problem(400, "This is no HTTP request.", code="invalid_http", retry=False))

    def _head_begins(self) -> None:
        if self._late is None:
            self._received = 0
            self._late = self.loop.call_later(self.seconds, self._refuse_slow)

    def _head_ends(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _refuse_slow(self) -> None:
        if self._received:
            self._refuse(Problem(408, f"The request's head did not come within {self.seconds:g} s.", code="too_slow"))
        else:
            self.transport.close()

    def _refuse_large(self) -> None:
        message = f"The request's head is larger than the {self.limit:,} bytes that are taken here."
        self._refuse(Problem(431, message, code="headers_too_large", retry=False))

    def _refuse(self, problem: Problem) -> None:
        self._head_ends()
        if self.transport.is_closing():
            return
        body = problem.body()
        headers = {"content-type": "application/json", "content-length": len(body), "connection": "close"}
        headers["x-request-id"] = f"req_{secrets.token_hex(12)}"
        lines = [f"HTTP/1.1 {problem.status} {_REASONS[problem.status]}"]
        lines += [f"{name}: {value}" for name, value in {**headers, **problem.headers}.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        self.transport.close()


_REASONS = {400: "Bad Request", 408: "Request Timeout", 431: "Request Header Fields Too Large"}
