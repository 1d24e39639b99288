"""One stream through the library beside a bare loop over `llama_decode`: what the library itself costs.

Both continue the same text greedily with the same threads. The library is measured with its model in a worker
process, which is how it runs unless asked otherwise, and in a thread of this process.
"""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.harness.ours import Ours
from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.raw import RawLoop
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Reading

__all__ = ["measure"]

SERVING = Serving(slots=8, context=2048)
WORDS = 108
ANSWERS = 2
"""How many times the tokens of other benchmarks' answers."""


async def measure(setup: Setup) -> Sequence[Row]:
    """Speed of whole requests, and of what comes after the first token."""
    tokens = ANSWERS * setup.answer

    async def go_on(side: Ours | RawLoop, number: int) -> Reading:
        return await side.go_on(Prompts(number).text(setup.words(WORDS)), tokens)

    async with (
        Ours(setup, SERVING) as isolated,
        Ours(setup, SERVING, "thread") as local,
        RawLoop(setup, SERVING) as raw,
    ):
        sides: list[Ours | RawLoop] = [isolated, raw, local]
        for side in sides:
            await go_on(side, -1)
        process, bare, thread = await interleave(setup, sides, go_on)
    return [*_rows("worker process", process, bare), *_rows("thread", thread, bare)]


def _rows(where: str, ours: Sequence[Reading], bare: Sequence[Reading]) -> list[Row]:
    work, name = f"1 stream, {where}", "bare loop"
    goal = Goal(at_least=0.98)
    return [
        Row(work, "whole request", "tok/s", _whole(ours), _whole(bare), goal, name),
        Row(work, "after the first token", "tok/s", _after_first(ours), _after_first(bare), None, name),
    ]


def _whole(readings: Sequence[Reading]) -> Samples:
    return Samples(reading.tokens / reading.last for reading in readings)


def _after_first(readings: Sequence[Reading]) -> Samples:
    return Samples((reading.tokens - 1) / (reading.last - reading.first) for reading in readings)


if __name__ == "__main__":
    run(__doc__, measure)
