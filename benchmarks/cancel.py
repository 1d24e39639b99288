"""A client goes away while its 8,000-token prompt is computed: how long until somebody else can use the slot.

There is one slot. The next request is sent as soon as the first is abandoned; the slot was free when its first token
came, less the time the same kind of request takes on an idle machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import anyio
import attrs

from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Reading, Side

__all__ = ["measure"]

SERVING = Serving(slots=1, context=16384)
LONG_WORDS, WORDS = 8000, 20
TOKENS = 2
UNDER_WAY = 1.7
"""Seconds after which the long prompt is abandoned; it takes many more."""


@attrs.frozen
class Cancellation:
    """The request that came after, and how long such a request takes on an idle machine."""

    after: Reading
    idle: float

    @property
    def milliseconds(self) -> float:
        """Until the slot was free. What is left of noise can be negative."""
        return 1000 * (self.after.first - self.idle)


async def measure(setup: Setup) -> Sequence[Row]:
    """Milliseconds until the slot was free."""

    async def cancel(side: Side, number: int) -> Cancellation:
        return await _cancel(setup, side, Prompts(number))

    async with sides(setup, SERVING) as both:
        return _rows(await interleave(setup, both, cancel))


def _rows(seen: Sequence[Sequence[Cancellation]]) -> Sequence[Row]:
    work = f"cancel within a prompt of {LONG_WORDS:,} tokens"
    goal = Goal(at_most=250, relative=False)
    return [
        Row.of(work, "slot free", "ms", [[one.milliseconds for one in side] for side in seen], goal),
        Row.of(work, "next one's first token", "ms", [[1000 * one.after.first for one in side] for side in seen]),
        Row.of(work, "next one queued, by the worker", "ms", [[1000 * one.after.queued for one in seen[0]]]),
    ]


async def _cancel(setup: Setup, side: Side, prompts: Prompts) -> Cancellation:
    words = setup.words(WORDS)
    idle = median([(await side.ask(prompts.ask(words, TOKENS))).first for _ in range(3)])
    await _abandon(setup, side, prompts)
    return Cancellation(await side.ask(prompts.ask(words, TOKENS)), idle)


async def _abandon(setup: Setup, side: Side, prompts: Prompts) -> None:
    """Ask something long and leave halfway; sooner where a small model is done before."""
    seconds = UNDER_WAY
    abandoned = False
    while not abandoned:
        with anyio.move_on_after(seconds) as scope:
            await side.ask(prompts.ask(setup.words(LONG_WORDS), TOKENS))
        abandoned, seconds = scope.cancelled_caught, seconds / 2


if __name__ == "__main__":
    run(__doc__, measure)
