"""Attack the Realtime API in several ways, while somebody holds a conversation over it: what does he notice?

    python tests/server/flooding.py [--seconds 10]

The server is `sauropod serve` with the demo models, a process of its own. He asks in writing, one question after the
other, and counts answers. Ends with 1 if one of them was lost or wrong, or if the server did not live through it.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import random
import re
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from statistics import median
from typing import Any

import psutil
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

READY = re.compile(r"http://127\.0\.0\.1:(\d+)")
MIB = 1024 * 1024
ATTACKERS = 4
KINDS = (
    *("session.update", "input_audio_buffer.append", "input_audio_buffer.commit", "input_audio_buffer.clear"),
    *("conversation.item.create", "conversation.item.delete", "conversation.item.truncate", "response.create"),
    *("response.cancel", "conversation.item.retrieve", "no.such.event"),
)
FIELDS = ("audio", "item", "item_id", "session", "response", "content_index", "audio_end_ms", "previous_item_id")


def anything(chance: random.Random, depth: int = 0) -> Any:
    """Any JSON."""
    made: list[Callable[[], Any]] = [
        lambda: None,
        lambda: chance.random() < 0.5,
        lambda: chance.choice([0, -1, 2**63, 1e308, 0.5]),
        lambda: chance.choice(["", "x", "realtime", "message", "AAAA", "\ud83e\udd95", "item_1", "a" * 5000]),
        lambda: [anything(chance, depth + 1) for _ in range(chance.randint(0, 3))],
        lambda: {chance.choice([*FIELDS, "type"]): anything(chance, depth + 1) for _ in range(chance.randint(0, 4))},
    ]
    return chance.choice(made[:4] if depth > 3 else made)()


async def random_bytes(url: str, chance: random.Random) -> None:
    async with connect(url, proxy=None) as socket:
        reading = asyncio.create_task(_read(socket))
        for _ in range(50):
            data = chance.randbytes(chance.randint(0, 4096))
            await socket.send(data if chance.random() < 0.5 else data.decode("latin-1"))
        reading.cancel()


async def random_events(url: str, chance: random.Random) -> None:
    async with connect(url, proxy=None) as socket:
        reading = asyncio.create_task(_read(socket))
        for _ in range(50):
            event = {name: anything(chance) for name in FIELDS if chance.random() < 0.4}
            await socket.send(json.dumps({"type": chance.choice(KINDS), **event}))
        reading.cancel()


async def large_messages(url: str, chance: random.Random) -> None:
    async with connect(url, proxy=None) as socket:
        await socket.send(b"x" * (64 * MIB))
        await socket.recv()


async def floods_of_audio(url: str, chance: random.Random) -> None:
    audio = base64.b64encode(chance.randbytes(2 * MIB)).decode()
    async with connect(url, proxy=None) as socket:
        reading = asyncio.create_task(_read(socket))
        for _ in range(20):
            await asyncio.wait_for(socket.send(json.dumps({"type": "input_audio_buffer.append", "audio": audio})), 5)
        reading.cancel()


async def half_open_sockets(url: str, chance: random.Random) -> None:
    port = int(url.split(":")[2].split("/")[0])
    writers = []
    for number in range(50):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        if number % 2:
            writer.write(b"GET /v1/realtime?model=default HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n")
        writers.append(writer)
    await asyncio.sleep(1)
    for writer in writers:
        writer.transport.abort()


async def those_who_do_not_read(url: str, chance: random.Random) -> None:
    async with connect(url, proxy=None, max_queue=1) as socket:
        item = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Who are you?"}]}
        for _ in range(30):
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await socket.send(json.dumps({"type": "response.create"}))
        await asyncio.sleep(1)
        socket.transport.abort()


async def _read(socket: Any) -> None:
    with suppress(WebSocketException, OSError):
        async for _ in socket:
            pass


async def converse(url: str, seconds: float) -> tuple[int, int, list[float]]:
    """Questions, right answers, and how long each took."""
    asked, right, times = 0, 0, list[float]()
    loop = asyncio.get_running_loop()
    until = loop.time() + seconds
    async with connect(url, proxy=None) as socket:
        await socket.send(json.dumps({"type": "session.update", "session": {"output_modalities": ["text"]}}))
        while loop.time() < until:
            asked, began, answer = asked + 1, loop.time(), ""
            content = [{"type": "input_text", "text": "What is the capital of France?"}]
            item = {"type": "message", "role": "user", "content": content}
            await socket.send(json.dumps({"type": "conversation.item.create", "item": item}))
            await socket.send(json.dumps({"type": "response.create"}))
            async with asyncio.timeout(30):
                while (event := json.loads(await socket.recv()))["type"] != "response.done":
                    answer += event["delta"] if event["type"] == "response.output_text.delta" else ""
            right += "Paris" in answer
            times.append(loop.time() - began)
            for done in (item_id for item_id in _items(event)):
                await socket.send(json.dumps({"type": "conversation.item.delete", "item_id": done}))
            await asyncio.sleep(0.05)
    return asked, right, times


def _items(event: dict[str, Any]) -> list[str]:
    return [item["id"] for item in event["response"]["output"]]


async def attack(url: str, how: Callable[[str, random.Random], Awaitable[None]] | None, seconds: float) -> bool:
    """Whether nobody noticed."""
    times = 0

    async def go_on(number: int) -> None:
        nonlocal times
        chance = random.Random(number)
        while True:
            with suppress(WebSocketException, OSError, TimeoutError):
                assert how is not None
                await how(url, chance)
            times += 1

    attackers = [asyncio.create_task(go_on(number)) for number in range(ATTACKERS if how is not None else 0)]
    try:
        asked, right, took = await converse(url, seconds)
    finally:
        for attacker in attackers:
            attacker.cancel()
        await asyncio.gather(*attackers, return_exceptions=True)
    slowest = sorted(took)[int(0.95 * (len(took) - 1))]
    name = "nobody" if how is None else how.__name__.replace("_", " ")
    print(
        f"{name:24} {times:5} times · {right} of {asked} answers right · "
        f"median {1e3 * median(took):.0f} ms, p95 {1e3 * slowest:.0f} ms",
        flush=True,
    )
    return asked == right


async def main(seconds: float) -> int:
    serve = [sys.executable, "-m", "sauropod", "serve", "--port", "0", "--database", ":memory:"]
    with subprocess.Popen(serve, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            port = next(found[1] for line in server.stderr if (found := READY.search(line)))
            url = f"ws://127.0.0.1:{port}/v1/realtime?model=default"
            ways = (
                random_bytes,
                random_events,
                large_messages,
                floods_of_audio,
                half_open_sockets,
                those_who_do_not_read,
            )
            good = [await attack(url, how, seconds) for how in (None, *ways, None)]
            process = psutil.Process(server.pid)
            print(f"{process.num_fds()} descriptors, {process.memory_info().rss / MIB:.0f} MiB afterwards")
            alive = server.poll() is None
        finally:
            server.terminate()
            server.stderr.read()
        print(f"the server ended with {server.wait()}")
    return 0 if all(good) and alive and server.returncode == 0 else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    sys.exit(asyncio.run(main(parser.parse_args().seconds)))
