"""Clients that leave free what they held; those that are slow hold up nobody."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import anyio
import pytest
from websockets.asyncio.client import connect

from sauropod.server.serving import Server
from server.cutting import PATHS, cut_everywhere
from server.serving import Listening, fake, listening
from workers import link_of

pytestmark = pytest.mark.anyio

SOON = 0.25
"""Seconds within which a slot is free."""


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


def busy(server: Listening) -> bool:
    state: Server = server.app.state.server
    engine = state.catalog.opened("fake")
    return engine is not None and bool(link_of(engine)._exchanges)


async def until(condition: Callable[[], bool]) -> float:
    """How long it took."""
    started = time.monotonic()
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0.001)
    return time.monotonic() - started


async def ask(server: Listening, body: dict[str, object]) -> anyio.abc.SocketStream:
    data = json.dumps({"model": "fake", "input": "long", **body}).encode()
    stream = await anyio.connect_tcp("127.0.0.1", server.port)
    head = f"POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n"
    await stream.send(head.encode() + data)
    return stream


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("store", [True, False])
async def test_a_client_that_leaves_frees_its_slot(stream: bool, store: bool) -> None:
    async with listening({"fake": fake(seconds_per_token=0.005)}) as server:
        client = await ask(server, {"stream": stream, "store": store})
        await until(lambda: busy(server))
        await client.aclose()
        assert await until(lambda: not busy(server)) < SOON
        responder = server.app.state.responder
        await until(lambda: not responder._running)


async def test_what_is_left_of_it_is_kept_as_cancelled() -> None:
    async with listening({"fake": fake(seconds_per_token=0.005)}) as server:
        client = await ask(server, {"stream": True})
        received = b""
        while b"output_text.delta" not in received:
            received += await client.receive()
        await client.aclose()
        await until(lambda: not server.app.state.responder._running)
        name = json.loads(received.split(b"data: ")[1].split(b"\n")[0])["response"]["id"]
        store = server.app.state.server.store
        record = await store.response(name)
        assert record is not None
        assert record.status == "cancelled"
        assert json.loads(record.response)["output"][0]["status"] == "incomplete"


async def test_a_connection_that_breaks_stops_what_runs_on_it() -> None:
    async with listening({"fake": fake(seconds_per_token=0.005)}) as server:
        socket = await connect(f"ws://127.0.0.1:{server.port}/v1/responses", proxy=None)
        await socket.send(json.dumps({"type": "response.create", "model": "fake", "input": "long"}))
        await socket.recv()
        await until(lambda: busy(server))
        socket.transport.abort()
        assert await until(lambda: not busy(server)) < SOON


async def test_what_runs_in_the_background_goes_on() -> None:
    async with listening({"fake": fake(seconds_per_token=0.001)}) as server:
        client = await ask(server, {"background": True})
        received = await client.receive()
        await client.aclose()
        name = json.loads(received.split(b"\r\n\r\n")[1])["id"]
        store = server.app.state.server.store
        with anyio.fail_after(10):
            while (await store.response(name)).status != "completed":
                await anyio.sleep(0.01)


@pytest.mark.parametrize("path", PATHS)
async def test_an_exchange_that_is_cut_anywhere_leaves_nothing(path: str) -> None:
    count, before, after = await cut_everywhere(path, sent=11, received=397)
    assert count > 20
    assert after == before
    assert (after.requests, after.responses) == (0, 0)
