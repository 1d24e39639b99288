"""Cut an exchange after every byte, of what is sent and of what comes, and see that nothing of it is left.

python tests/server/cutting.py
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from contextlib import aclosing
from functools import partial
from pathlib import Path

import anyio
import attrs

sys.path.insert(0, str(Path(__file__).parent.parent))

from server.serving import Listening, fake, listening
from workers import link_of

__all__ = ["Left", "cut_everywhere", "left"]

PATHS = {
    "/v1/responses": {"model": "fake", "input": "Hello", "stream": True},
    "/v1/chat/completions": {"model": "fake", "messages": [{"role": "user", "content": "Hello"}], "stream": True},
}


@attrs.frozen
class Left:
    """What a server holds."""

    requests: int
    """In the model's worker: each has a slot, or waits for one."""
    responses: int
    tasks: int
    files: int


def left(server: Listening) -> Left:
    state = server.app.state
    engine = state.server.catalog.opened("fake")
    requests = 0 if engine is None else len(link_of(engine)._exchanges)
    files = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0
    return Left(requests, len(state.responder._running), len(asyncio.all_tasks()), files)


async def cut_everywhere(path: str, sent: int = 1, received: int = 1) -> tuple[int, Left, Left]:
    """How often it was cut, and what was held before and after. The numbers are bytes between two cuts."""
    data = json.dumps(PATHS[path]).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n\r\n".encode()
    whole, count = head + data, 0
    async with listening({"fake": fake()}) as server:
        length = len(await exchange(server, whole))  # the model is open then, and so are the store's connections
        before = await settled(server)
        for cut in range(1, len(whole), sent):
            await exchange(server, whole[:cut], 0)
            count += 1
        for cut in range(1, length, received):
            await exchange(server, whole, cut)
            count += 1
        return count, before, await settled(server)


async def exchange(server: Listening, sent: bytes, until: int | None = None) -> bytes:
    """What comes, up to so many bytes, or to its end."""
    stream = await anyio.connect_tcp("127.0.0.1", server.port)
    async with aclosing(stream):
        await stream.send(sent)
        received = b""
        while until is None or len(received) < until:
            most = 65536 if until is None else until - len(received)
            received += await stream.receive(most)
            if received.endswith(b"\r\n0\r\n\r\n"):
                break  # it is not always as long: what was cached is counted in it
        return received


async def settled(server: Listening) -> Left:
    """What is held once that does not change any more."""
    seen, since = left(server), time.monotonic()
    with anyio.move_on_after(10):
        while time.monotonic() - since < 0.3:
            await anyio.sleep(0.02)
            if (now := left(server)) != seen:
                seen, since = now, time.monotonic()
    return seen


def main() -> int:
    wrong = 0
    for path in PATHS:
        began = time.monotonic()
        count, before, after = anyio.run(partial(cut_everywhere, path))
        print(f"{path}: cut {count} times in {time.monotonic() - began:.0f} s; before {before}; after {after}")
        wrong += before != after
    return wrong


if __name__ == "__main__":
    sys.exit(main())
