"""Both sides measured in turns, because a machine's speed drifts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import TypeVar

from benchmarks.harness.bystanders import Bystanders
from benchmarks.harness.load import run_load
from benchmarks.harness.ours import Ours
from benchmarks.harness.peers import peer_of
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.server import Server, our_command
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Side

__all__ = ["interleave", "sides"]

Measured = TypeVar("Measured")
Result = TypeVar("Result")


@asynccontextmanager
async def sides(setup: Setup, serving: Serving) -> AsyncGenerator[Sequence[Side]]:
    """Ours and then the peer, if there is one: loaded, and warm from one request in every slot."""
    async with AsyncExitStack() as stack:
        both: list[Side] = [await stack.enter_async_context(_ours(setup, serving))]
        peer = peer_of(setup, serving)
        if peer is not None:
            both.append(await stack.enter_async_context(peer))
        warm_up = Prompts("warm up").for_clients(serving.slots, 1, setup.words(40), 8)
        for side in both:
            await run_load(side, warm_up)
        yield both


def _ours(setup: Setup, serving: Serving) -> AbstractAsyncContextManager[Side]:
    if not setup.over_http:
        return Ours(setup, serving)
    return Server("sauropod serve", our_command(setup, serving), biases_are_pairs=False)


async def interleave(
    setup: Setup, sides: Sequence[Measured], measure: Callable[[Measured, int], Awaitable[Result]]
) -> list[list[Result]]:
    """For each side what each round gave: A B, then B A, then A B, …

    `measure` gets the side and a number, the same for both sides and another in each round. A round in which others
    used the machine is measured again, as often as the setup allows.
    """
    results: list[list[Result]] = [[] for _ in sides]
    number, void = 0, 0
    while len(results[0]) < setup.rounds:
        watch = Bystanders()
        order = list(enumerate(sides))
        once = {index: await measure(side, number) for index, side in (order if number % 2 == 0 else order[::-1])}
        number += 1
        if watch.share() > setup.tolerance and void < setup.retries:
            void += 1
            continue
        for index, result in once.items():
            results[index].append(result)
    return results
