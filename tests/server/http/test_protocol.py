"""What a request's head may be, on a socket; and bodies that do not come."""

from __future__ import annotations

import time

import anyio
import pytest

from sauropod.server import Settings
from sauropod.server.config.parts import Limits
from server.serving import Listening, listening

pytestmark = pytest.mark.anyio

SETTINGS = Settings(database=":memory:", limits=Limits(header_bytes=4096, slow_client_seconds=0.3))
HEAD = b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


async def said(server: Listening, *sent: bytes) -> bytes:
    """All that comes back until the connection is closed."""
    stream = await anyio.connect_tcp("127.0.0.1", server.port)
    received = b""
    async with stream:
        for piece in sent:
            await stream.send(piece)
        with anyio.fail_after(5):
            try:
                while True:
                    received += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return received


async def test_a_head_that_is_too_large_is_refused() -> None:
    large = b"X-Large: " + b"x" * 5000 + b"\r\n"
    async with listening(settings=SETTINGS) as server:
        for sent in ((HEAD + large + b"\r\n",), (HEAD, large[:2500], large[2500:]), (b"GET /" + b"x" * 5000,)):
            received = await said(server, *sent)
            assert received.startswith(b"HTTP/1.1 431 ")
            assert b'"headers_too_large"' in received
        fits = await said(server, HEAD + b"X: " + b"x" * 3900 + b"\r\nConnection: close\r\n\r\n")
        assert fits.startswith(b"HTTP/1.1 200 ")


async def test_a_head_that_does_not_come_is_not_waited_for() -> None:
    async with listening(settings=SETTINGS) as server:
        began = time.monotonic()
        assert await said(server) == b""
        assert (await said(server, HEAD)).startswith(b"HTTP/1.1 408 ")
        after_another = await said(server, HEAD + b"\r\n", HEAD[:9])
        assert [after_another.count(line) for line in (b"HTTP/1.1 200 ", b"HTTP/1.1 408 ")] == [1, 1]
        assert time.monotonic() - began < 3


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async with listening(settings=SETTINGS) as server:
        head = b"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99\r\n\r\n"
        received = await said(server, head, b"{")
        assert received.startswith(b"HTTP/1.1 408 ")
        assert b'"too_slow"' in received


async def test_what_is_no_http_is_told_so() -> None:
    async with listening(settings=SETTINGS) as server:
        received = await said(server, b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")
        assert received.startswith(b"HTTP/1.1 400 ")
        assert b'"invalid_http"' in received
