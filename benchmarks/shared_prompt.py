"""Eight clients arrive together with one long system prompt, each with a question of its own.

The system prompt is new in every round, so nobody has it computed when they arrive.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness.load import Load, run_load
from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave, sides
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Side

__all__ = ["measure"]

SERVING = Serving(slots=16, context=2048)
CLIENTS = 8
SYSTEM_WORDS, WORDS = 400, 20


async def measure(setup: Setup) -> Sequence[Row]:
    """Speed, and the time to first token of the last of them."""

    async def load(side: Side, number: int) -> Load:
        return await run_load(side, _questions(setup, Prompts(number)))

    async with sides(setup, SERVING) as both:
        return _rows(await interleave(setup, both, load))


def _questions(setup: Setup, prompts: Prompts) -> list[list[Ask]]:
    system = prompts.text(setup.words(SYSTEM_WORDS))
    return prompts.for_clients(CLIENTS, 1, setup.words(WORDS), setup.answer, system=system)


def _rows(loads: Sequence[Sequence[Load]]) -> Sequence[Row]:
    work = f"{CLIENTS} clients, shared {SYSTEM_WORDS}-word system prompt"
    return [
        Row.of(work, "speed", "tok/s", [[load.speed for load in side] for side in loads], Goal(at_least=2.3)),
        Row.of(work, "first token, median", "s", [[load.first for load in side] for side in loads]),
        Row.of(
            work, "first token, p95", "s", [[load.late_first for load in side] for side in loads], Goal(at_most=0.25)
        ),
        Row.of(work, "prompt tokens computed", "", [[load.computed for load in side] for side in loads]),
    ]


if __name__ == "__main__":
    run(__doc__, measure)
