"""A long prompt shared by eight requests: how much of it is computed, asked all at once and one after another.

Counted by what each side says about its cache, against the tokens of all eight prompts. The shared part is new in
every round.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness.load import Load, run_load
from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Side

__all__ = ["measure"]

SERVING = Serving(slots=8, context=2048)
REQUESTS = 8
SHARED_WORDS, WORDS = 1500, 20
TOKENS = 4


async def measure(setup: Setup) -> Sequence[Row]:
    """The share of the prompts' tokens that was computed, and how long it took until all had begun to answer."""
    rows: list[Row] = []
    async with sides(setup, SERVING) as both:
        for together in (True, False):
            rows += _rows(await _loads(setup, both, together), together)
    return rows


async def _loads(setup: Setup, both: Sequence[Side], together: bool) -> Sequence[Sequence[Load]]:
    async def load(side: Side, number: int) -> Load:
        return await run_load(side, _questions(setup, Prompts((together, number)), together))

    return await interleave(setup, both, load)


def _questions(setup: Setup, prompts: Prompts, together: bool) -> list[list[Ask]]:
    system = prompts.text(setup.words(SHARED_WORDS))
    clients, each = (REQUESTS, 1) if together else (1, REQUESTS)
    return prompts.for_clients(clients, each, setup.words(WORDS), TOKENS, system=system)


def _rows(loads: Sequence[Sequence[Load]], together: bool) -> list[Row]:
    work = f"{REQUESTS} requests, shared {SHARED_WORDS}-word prompt, {'at once' if together else 'one by one'}"
    shares = [[100 * load.computed / load.prompt_tokens for load in side] for side in loads]
    return [
        Row.of(work, "prompt tokens computed", "%", shares),
        Row.of(work, "whole round", "s", [[load.seconds for load in side] for side in loads]),
    ]


if __name__ == "__main__":
    run(__doc__, measure)
