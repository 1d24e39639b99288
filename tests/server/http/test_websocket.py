"""/v1/responses over a WebSocket: lanes, each in its order."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from openai import AsyncOpenAI
from websockets.asyncio.client import ClientConnection, connect

from server.checking import check_events
from server.serving import fake, listening

pytestmark = pytest.mark.anyio

LAST = ("response.completed", "response.incomplete", "response.failed", "error")


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[ClientConnection]:
    async with (
        listening({"fake": fake(**options)}) as server,
        connect(f"ws://127.0.0.1:{server.port}/v1/responses", proxy=None) as socket,
    ):
        yield socket


async def create(socket: ClientConnection, **asked: Any) -> None:
    await socket.send(json.dumps({"type": "response.create", "model": "fake", **asked}))


async def told(socket: ClientConnection) -> list[dict[str, Any]]:
    """Events up to the first that ends something."""
    found: list[dict[str, Any]] = []
    while not found or found[-1]["type"] not in LAST:
        found.append(json.loads(await socket.recv()))
    return found


async def test_a_request_is_answered_by_events() -> None:
    async with connected() as socket:
        await create(socket, input="Hello")
        final = check_events(await told(socket))
    assert final["output"][0]["content"][0]["text"] == "Hello there, how are you?"


async def test_lanes_go_on_side_by_side_each_in_its_order() -> None:
    async with connected() as socket:
        for text in ("Hello", "think"):
            for lane in ("a", "b"):
                await create(socket, input=text, stream_id=lane)
        events: dict[str, list[dict[str, Any]]] = defaultdict(list)
        ended = 0
        while ended < 4:
            event = json.loads(await socket.recv())
            events[event.pop("stream_id")].append(event)
            ended += event["type"] in LAST
    for told_there in events.values():
        cut = next(at for at, event in enumerate(told_there) if event["type"] in LAST) + 1
        first, second = check_events(told_there[:cut]), check_events(told_there[cut:])
        assert len(first["output"]) < len(second["output"])


async def test_what_is_not_stored_can_be_gone_on_from_on_its_connection_only() -> None:
    async with listening() as server:
        url = f"ws://127.0.0.1:{server.port}/v1/responses"
        async with connect(url, proxy=None) as socket, connect(url, proxy=None) as other:
            await create(socket, input="Hello", store=False)
            first = check_events(await told(socket))
            await create(socket, input="think", store=False, previous_response_id=first["id"])
            second = check_events(await told(socket))
            assert second["usage"]["input_tokens"] > first["usage"]["input_tokens"]
            await create(other, input="think", store=False, previous_response_id=first["id"])
            (error,) = await told(other)
    assert (error["status"], error["error"]["code"]) == (400, "previous_response_not_found")


async def test_a_response_that_is_only_prepared_can_be_gone_on_from() -> None:
    async with connected() as socket:
        await create(socket, input="Hello", generate=False)
        first = check_events(await told(socket))
        assert first["output"] == []
        await create(socket, input="think", previous_response_id=first["id"])
        second = check_events(await told(socket))
    assert second["output"][0]["type"] == "reasoning"


async def test_what_a_failed_request_was_to_go_on_from_is_forgotten() -> None:
    async with connected() as socket:
        await create(socket, input="Hello", store=False)
        first = check_events(await told(socket))
        wrong = [{"type": "function_call_output", "call_id": "none", "output": "x"}]
        await create(socket, input=wrong, store=False, previous_response_id=first["id"])
        assert (await told(socket))[0]["status"] == 400
        await create(socket, input="Hello", store=False, previous_response_id=first["id"])
        (error,) = await told(socket)
    assert error["error"]["code"] == "previous_response_not_found"


async def test_a_response_is_cancelled() -> None:
    async with connected(seconds_per_token=0.01) as socket:
        await create(socket, input="long", stream_id="a")
        first = json.loads(await socket.recv())
        await socket.send(json.dumps({"type": "response.cancel", "response_id": first["response"]["id"]}))
        events = [first, *await told(socket)]
    for event in events:
        assert event.pop("stream_id") == "a"
    assert check_events(events)["status"] == "cancelled"


@pytest.mark.parametrize(
    "message",
    ["x", "[]", "{}", '{"type": "other"}', '{"type": "response.create", "input": 5}', '{"type": "response.cancel"}'],
)
async def test_a_message_that_is_wrong_ends_nothing_but_itself(message: str) -> None:
    async with connected() as socket:
        await socket.send(message)
        (error,) = await told(socket)
        assert (error["type"], error["status"]) == ("error", 400)
        assert set(error["error"]) == {"message", "type", "param", "code"}
        await create(socket, input="Hello")
        check_events(await told(socket))


async def test_the_official_client_is_understood() -> None:
    async with (
        listening() as server,
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client,
        client.responses.connect() as connection,
    ):
        await connection.response.create(model="fake", input="Hello")
        async for event in connection:
            if event.type == "response.completed":
                assert event.response.output_text == "Hello there, how are you?"
                break


async def test_a_binary_message_is_read_as_a_text_is() -> None:
    async with connected() as socket:
        await socket.send(json.dumps({"type": "response.create", "input": "Hello"}).encode())
        assert check_events(await told(socket))["status"] == "completed"
        await socket.send(b"\xff\xfe")
        assert json.loads(await socket.recv())["status"] == 400
        await create(socket, input="Hello")
        assert check_events(await told(socket))["status"] == "completed"


async def test_lanes_that_are_done_are_not_counted() -> None:
    async with connected() as socket:
        for lane in range(70):
            await create(socket, input="Hello", stream_id=f"lane {lane}", store=False)
            assert (await told(socket))[-1]["type"] == "response.completed"


async def test_a_request_that_breaks_the_reader_breaks_nothing_else() -> None:
    async with connected() as socket:
        call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "[" * 200_000}
        result = {"type": "function_call_output", "call_id": "c", "output": "x"}
        await create(socket, input=[call, result])
        first = json.loads(await socket.recv())
        assert first["type"] in ("error", "response.created")
        if first["type"] == "response.created":
            await told(socket)
        await create(socket, input="Hello")
        events = await told(socket)
        assert check_events(events)["status"] == "completed"


async def test_what_goes_on_from_something_not_stored_can_be_gone_on_from() -> None:
    async with connected() as socket:
        await create(socket, input="Hello", store=False)
        first = (await told(socket))[-1]["response"]["id"]
        await create(socket, input="Hello", previous_response_id=first, store=True)
        second = (await told(socket))[-1]["response"]["id"]
        await create(socket, input="Hello", previous_response_id=second)
        assert (await told(socket))[-1]["type"] == "response.completed"
