"""Many at once: 200 streams, beside 1,000 connections on which nobody says anything.

The model is a fake that takes 0.2 ms for a token of any stream, so that what is seen is the server. Meanwhile
`/health/live` is asked 20 times a second: what it takes is at least as long as the server's event loop was late.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import aclosing

import anyio
import attrs

from benchmarks.gateway import fake_server
from benchmarks.harness.http import Address, ServerRefused, events, post
from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples, percentile
from benchmarks.harness.setup import Setup

__all__ = ["measure"]

STREAMS, IDLE = 200, 1000
TOKENS = 200
PERIOD = 0.05


@attrs.define
class Seen:
    """What a round showed."""

    errors: int = 0
    answered: list[float] = attrs.field(factory=list)
    """How long `/health/live` took, in seconds."""
    pieces: int = 0
    seconds: float = 0.0


async def measure(setup: Setup) -> Sequence[Row]:
    """Errors, and how late the loop is."""
    streams, idle = max(2, round(STREAMS * setup.scale)), max(2, round(IDLE * setup.scale))
    async with fake_server(seconds_per_token=0.0002) as server:
        rounds = [await _round(server.address, streams, idle) for _ in range(setup.rounds)]
        alone = [await _alone(server.address) for _ in range(setup.rounds)]
    work = f"{streams} streams beside {idle} idle connections"
    return [
        Row(work, "errors", "", Samples(one.errors for one in rounds), goal=Goal(at_most=0, relative=False)),
        Row(work, "pieces", "1/s", Samples(one.pieces / one.seconds for one in rounds)),
        Row(work, "/health/live, median", "ms", Samples(1e3 * percentile(one.answered, 0.5) for one in rounds)),
        Row(work, "/health/live, p99", "ms", Samples(1e3 * percentile(one.answered, 0.99) for one in rounds)),
        Row("nobody else", "/health/live, p99", "ms", Samples(1e3 * percentile(one, 0.99) for one in alone)),
    ]


async def _round(address: Address, streams: int, idle: int) -> Seen:
    seen, idlers = Seen(), []
    for _ in range(idle):
        idlers.append((await asyncio.open_connection(address.host, address.port))[1])
    begin = time.perf_counter()
    async with anyio.create_task_group() as watching:
        watching.start_soon(_watch, address, seen)
        async with anyio.create_task_group() as asking:
            for number in range(streams):
                asking.start_soon(_stream, address, seen, number)
        seen.seconds = time.perf_counter() - begin
        watching.cancel_scope.cancel()
    for idler in idlers:
        idler.close()
    return seen


async def _stream(address: Address, seen: Seen, number: int) -> None:
    body = {
        "messages": [{"role": "user", "content": f"Hello, I am {number}."}],
        "max_tokens": TOKENS,
        "ignore_eos": True,
        "stream": True,
    }
    try:
        async with aclosing(events(address, "/v1/chat/completions", body)) as stream:
            async for _ in stream:
                seen.pieces += 1
    except (OSError, EOFError, ServerRefused, ValueError):
        seen.errors += 1


async def _watch(address: Address, seen: Seen) -> None:
    while True:
        begin = time.perf_counter()
        await post(address, "/health/live", None)
        seen.answered.append(time.perf_counter() - begin)
        await anyio.sleep(PERIOD)


async def _alone(address: Address) -> list[float]:
    seen = Seen()
    with anyio.move_on_after(2):
        await _watch(address, seen)
    return seen.answered


if __name__ == "__main__":
    run(__doc__, measure)
