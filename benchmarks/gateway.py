"""What the server costs beside the library: a request, and a token, with a model that takes no time.

Both have the fake model in a worker process. One client asks, one request after the other, each on a connection of its
own; a token's cost is what 256 more of them add.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from statistics import median
from typing import Any

from benchmarks.harness.http import Address, events, post
from benchmarks.harness.program import run
from benchmarks.harness.report import Row
from benchmarks.harness.samples import Samples
from benchmarks.harness.server import Server
from benchmarks.harness.setup import Setup
from sauropod import Engine

__all__ = ["FAKE", "fake_server", "measure"]

FAKE = {"eos_rate": 0.0}
SHORT, LONG = 1, 257
REQUESTS = 60
"""In a round, of each kind."""

Way = Callable[[int], Awaitable[None]]
"""Asks for so many tokens, and has them when it returns."""


def fake_server(database: str = ":memory:", **options: float) -> Server:
    """`sauropod serve` with a model that takes as long as it is told."""
    written = ", ".join(f"{name}={value}" for name, value in {**FAKE, **options}.items())
    model = ["--set", "models.m.model=fake:m", "--set", f"models.m.options={{{written}}}"]
    command = [sys.executable, "-m", "sauropod", "serve", "--port", "{port}", "--database", database, *model]
    return Server("sauropod serve", command)


async def measure(setup: Setup) -> Sequence[Row]:
    """Milliseconds a request, and microseconds a token."""
    async with Engine("fake:m", options=FAKE) as engine, fake_server() as server:
        count = max(3, round(REQUESTS * setup.scale))
        ways = {"library": _asking(engine), **_over_http(server.address)}
        for way in ways.values():
            await way(SHORT)
        seen = {
            name: [(await _seconds(way, SHORT, count), await _seconds(way, LONG, count)) for _ in range(setup.rounds)]
            for name, way in ways.items()
        }
    rows = []
    for name, rounds in seen.items():
        rows.append(Row(name, "a request of 1 token", "ms", Samples(1e3 * short for short, _ in rounds)))
        each = [1e6 * (long - short) / (LONG - SHORT) for short, long in rounds]
        rows.append(Row(name, "each further token", "µs", Samples(each)))
    return rows


async def _seconds(way: Way, tokens: int, count: int) -> float:
    taken = []
    for _ in range(count):
        begin = time.perf_counter()
        await way(tokens)
        taken.append(time.perf_counter() - begin)
    return median(taken)


def _asking(engine: Engine) -> Way:
    async def ask(tokens: int) -> None:
        async with engine.stream("Hello", max_tokens=tokens, ignore_eos=True) as stream:
            async for _ in stream:
                pass

    return ask


def _over_http(address: Address) -> dict[str, Way]:
    def chat(tokens: int) -> dict[str, Any]:
        return {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": tokens, "ignore_eos": True}

    def response(store: bool) -> Callable[[int], dict[str, Any]]:
        return lambda tokens: {"input": "Hello", "max_output_tokens": tokens, "store": store}

    asked = {
        "chat": ("/v1/chat/completions", chat),
        "responses, not stored": ("/v1/responses", response(False)),
        "responses, stored": ("/v1/responses", response(True)),
    }
    ways: dict[str, Way] = {}
    for name, (path, body) in asked.items():
        ways[name] = _whole(address, path, body)
        ways[f"{name}, streamed"] = _streamed(address, path, body)
    return ways


def _whole(address: Address, path: str, body: Callable[[int], dict[str, Any]]) -> Way:
    async def ask(tokens: int) -> None:
        await post(address, path, body(tokens))

    return ask


def _streamed(address: Address, path: str, body: Callable[[int], dict[str, Any]]) -> Way:
    async def ask(tokens: int) -> None:
        async with aclosing(events(address, path, {**body(tokens), "stream": True})) as stream:
            async for _ in stream:
                pass

    return ask


if __name__ == "__main__":
    run(__doc__, measure)
