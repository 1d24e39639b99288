"""A language model, a voice and a recogniser on one CPU, each as busy as it can be: what share of its speed each keeps.

Two programs that fight for the same cores lose a quarter of the machine; turns in one worker should lose nothing. A
share is a speed in company by the speed alone, measured in the same round. Their sum is 1 if nothing is lost.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from statistics import median

import anyio
import attrs

from benchmarks.harness.program import run
from benchmarks.harness.prompts import Prompts
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup
from benchmarks.speech import SENTENCES, resampled
from sauropod import Engine, TextDelta, Transcriber, Voice

__all__ = ["measure"]

SECONDS = 12.0
"""Of each measurement; on a small scale less, and no less than"""
LEAST = 2.0


@attrs.define(eq=False)
class Busy:
    """Somebody who asks for one thing after another, and how much of it there was."""

    work: Callable[[Busy], Awaitable[None]]
    done: float = 0.0
    times: list[float] = attrs.field(factory=list)
    """When something of it arrived."""

    async def go_on(self) -> None:
        while True:
            await self.work(self)

    def count(self, amount: float) -> None:
        self.done += amount
        self.times.append(time.perf_counter())

    @property
    def longest(self) -> float:
        """The longest wait between two arrivals, in seconds."""
        return max((later - earlier for earlier, later in zip(self.times, self.times[1:], strict=False)), default=0.0)


async def measure(setup: Setup) -> Sequence[Row]:
    """The sum of shares, and the longest wait for a token."""
    async with (
        Engine(setup.model, device="cpu", threads=setup.threads, slots=2, context_length=2048) as engine,
        Voice("demo", device="cpu") as voice,
        Transcriber("demo", vad=None, device="cpu") as transcriber,
    ):
        sounds = [await resampled(voice, sentence) for sentence in SENTENCES]
        prompt = Prompts(7).text(setup.words(60))

        async def write(busy: Busy) -> None:
            async with engine.stream(prompt, raw=True, max_tokens=400, ignore_eos=True) as stream:
                async for event in stream:
                    if isinstance(event, TextDelta):
                        busy.count(1)

        async def speak(busy: Busy) -> None:
            for sentence in SENTENCES:
                busy.count((await voice.say(sentence, priority="normal")).duration)

        async def hear(busy: Busy) -> None:
            for sound in sounds:
                busy.count((await transcriber.transcribe((sound, 16_000), priority="normal")).duration)

        rows = []
        for name, workers in (
            ("language model and voice", (write, speak)),
            ("language model, voice and recogniser", (write, speak, hear)),
        ):
            rows += await _beside(setup, name, workers)
    return rows


async def _beside(setup: Setup, name: str, workers: Sequence[Callable[[Busy], Awaitable[None]]]) -> list[Row]:
    sums, waits, shares = [], [], []
    for _ in range(setup.rounds):
        seconds = max(LEAST, SECONDS * setup.scale)
        alone = [await _run([worker], seconds) for worker in workers]
        together = await _run(workers, seconds)
        share = [beside.done / own[0].done for beside, own in zip(together, alone, strict=True)]
        shares.append(share)
        sums.append(sum(share))
        waits.append(together[0].longest * 1000)
    kept = " + ".join(f"{median(each):.2f}" for each in zip(*shares, strict=True))
    return [
        Row(name, f"sum of shares ({kept})", "", Samples(sums), None, Goal(at_least=0.95, relative=False)),
        Row(name, "longest wait for a token", "ms", Samples(waits)),
    ]


async def _run(workers: Sequence[Callable[[Busy], Awaitable[None]]], seconds: float) -> list[Busy]:
    """All of them side by side, for so long."""
    busy = [Busy(worker) for worker in workers]
    with anyio.move_on_after(seconds):
        async with anyio.create_task_group() as tasks:
            for each in busy:
                tasks.start_soon(each.go_on)
    return busy


if __name__ == "__main__":
    run(__doc__, measure)
