"""A client of OpenAI-like servers that costs next to nothing, so that the server is measured and not the client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import attrs

__all__ = ["Address", "ServerRefused", "events", "is_healthy", "post"]


class ServerRefused(Exception):
    """The server answered with an error."""


@attrs.frozen
class Address:
    host: str
    port: int


async def events(address: Address, path: str, body: object) -> AsyncGenerator[dict[str, Any]]:
    """Post JSON; the server-sent events that come back. Closing this closes the connection."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(_request("POST", path, address, json.dumps(body).encode()))
        await writer.drain()
        status, is_chunked = await _head(reader)
        if status != 200:
            raise ServerRefused(f"{path} was answered with {status}: {(await reader.read(2000)).decode()}")
        async for line in _lines(reader, is_chunked):
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])
    finally:
        writer.close()


async def post(address: Address, path: str, body: object) -> bytes:
    """Post JSON, or get where there is none; the body that comes back. Raises `ServerRefused`."""
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        method, data = ("GET", b"") if body is None else ("POST", json.dumps(body).encode())
        writer.write(_request(method, path, address, data))
        status, _ = await _head(reader)
        answer = await reader.read()
    finally:
        writer.close()
    if status != 200:
        raise ServerRefused(f"{path} was answered with {status}: {answer[:2000].decode()}")
    return answer


async def is_healthy(address: Address) -> bool:
    """Whether the server is there and has loaded its model."""
    try:
        reader, writer = await asyncio.open_connection(address.host, address.port)
    except OSError:
        return False
    try:
        writer.write(_request("GET", "/health", address, b""))
        return (await _head(reader))[0] == 200
    except (OSError, EOFError, ValueError):
        return False
    finally:
        writer.close()


def _request(method: str, path: str, address: Address, body: bytes) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {address.host}:{address.port}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _head(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """The status, and whether the body comes in chunks."""
    status = int((await reader.readline()).split()[1])
    is_chunked = False
    while (line := await reader.readline()).strip():
        is_chunked = is_chunked or line.lower().replace(b" ", b"").startswith(b"transfer-encoding:chunked")
    return status, is_chunked


async def _lines(reader: asyncio.StreamReader, is_chunked: bool) -> AsyncGenerator[bytes]:
    if not is_chunked:
        while line := await reader.readline():
            yield line
        return
    rest = b""
    while size := int(await reader.readline(), 16):
        *lines, rest = (rest + (await reader.readexactly(size + 2))[:-2]).split(b"\n")
        for line in lines:
            yield line
