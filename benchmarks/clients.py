"""Free text: 1, 4, 8 and 16 clients, each with prompts of its own, streaming.

Each client sends its next request when it has the answer to the last. Speed is all tokens of all answers over the
time of the whole round, prompts included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from benchmarks.harness.load import Load, run_load
from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Side

__all__ = ["measure"]

SERVING = Serving(slots=16, context=2048)
WORDS = 100
"""Of each prompt: some 108 tokens with what the chat template adds."""

REQUESTS: Mapping[int, int] = {1: 4, 4: 2, 8: 2, 16: 2}
"""How many requests each client sends in a round, for so many clients."""


async def measure(setup: Setup, requests: Mapping[int, int] = REQUESTS) -> Sequence[Row]:
    """Rows for each number of clients."""
    rows: list[Row] = []
    async with sides(setup, attrs.evolve(SERVING, slots=max(SERVING.slots, *requests))) as both:
        for clients, each in requests.items():
            rows += _rows(clients, await _loads(setup, both, clients, each))
    return rows


async def _loads(setup: Setup, both: Sequence[Side], clients: int, each: int) -> Sequence[Sequence[Load]]:
    async def load(side: Side, number: int) -> Load:
        prompts = Prompts((clients, number))
        return await run_load(side, prompts.for_clients(clients, each, setup.words(WORDS), setup.answer))

    return await interleave(setup, both, load)


def _rows(clients: int, loads: Sequence[Sequence[Load]]) -> list[Row]:
    alone = clients == 1
    work = f"{clients} client{'' if alone else 's'}, free text"
    speed, first = (Goal(at_least=1.0), Goal(at_most=1.0)) if alone else (Goal(at_least=1.2), None)
    return [
        Row.of(work, "speed", "tok/s", [[load.speed for load in side] for side in loads], speed),
        Row.of(work, "first token, median", "s", [[load.first for load in side] for side in loads], first),
        Row.of(work, "first token, p95", "s", [[load.late_first for load in side] for side in loads]),
        Row.of(work, "next piece, p95", "s", [[load.late_gap for load in side] for side in loads]),
    ]


if __name__ == "__main__":
    run(__doc__, measure)
