"""What a step costs besides the model: deciding, detokenizing, and the way from a worker to its client.

The model of the first two does nothing. That of the third is the fake of `sauropod.testing`, which does a little.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence

import anyio
import attrs

from benchmarks.harness.program import run
from benchmarks.harness.report import Row
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup
from sauropod import Engine
from sauropod._runtime.hosting import Host
from sauropod._runtime.protocol import Generate, PromptText
from sauropod._scheduling.scheduler import Scheduler
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import Chunk, LanguageModel, ModelInfo, Placement, Sampled

__all__ = ["measure"]

STEPS = 500
PROMPT = 128
SAMPLING = SamplingParams(temperature=0, ignore_eos=True).over(DEFAULT_SAMPLING)


@attrs.define(eq=False)
class Nothing(LanguageModel):
    """Says the same token for ever, at no cost, and counts the seconds it takes all the same."""

    slots: int
    seconds: float = 0.0

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name="nothing",
            backend="nothing",
            architecture="nothing",
            context_length=4096,
            slots=self.slots,
            vocabulary_size=256,
            sampling=DEFAULT_SAMPLING,
            step_tokens=512,
            rewinds=True,
            placement=Placement("cpu", ("cpu",), 0, 0, 0, 0, 0),
        )

    @property
    def eos(self) -> Collection[int]:
        return ()

    def encode(self, text: str, *, special: bool) -> Sequence[int]:
        return list(text.encode())

    def piece(self, token: int) -> bytes:
        return b" a"

    def open(self, slot: int, sampling: SamplingParams, prompt: Sequence[int], generated: Sequence[int]) -> None: ...

    def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
        begin = time.perf_counter()
        sampled = [Sampled(chunk.slot, 97) for chunk in chunks if chunk.sample]
        self.seconds += time.perf_counter() - begin
        return sampled

    def abort(self) -> None:
        return None

    def close(self) -> None:
        return None


async def measure(setup: Setup) -> Sequence[Row]:
    """Microseconds for each step of 1, 8 and 16 sequences."""
    rows: list[Row] = []
    for count in (1, 8, 16):
        work = f"a step of {count} sequence{'s'[: count > 1]}"
        decided = Samples(_decide(count) for _ in range(setup.rounds))
        hosted = Samples(_host(count) for _ in range(setup.rounds))
        served = Samples([await _serve(count, setup.answer) for _ in range(setup.rounds)])
        rows += [
            Row(work, "deciding", "µs", decided),
            Row(work, "deciding and detokenizing", "µs", hosted),
            Row(work, "all, fake model to client", "µs", served),
        ]
    return rows


def _decide(count: int) -> float:
    model = Nothing(count)
    scheduler = Scheduler(model, SchedulerOptions())
    for id in range(count):
        scheduler.add(Tokens(id, [id, *range(1, PROMPT)], SAMPLING))
    return 1e6 * _per_step(model, lambda: _step(scheduler))


def _step(scheduler: Scheduler) -> None:
    scheduler.admit(time.monotonic())
    step = scheduler.schedule(time.monotonic())
    scheduler.update(step, scheduler.model.decode(step.chunks), time.monotonic())


def _host(count: int) -> float:
    model = Nothing(count)
    host = Host(model, SchedulerOptions())
    for id in range(count):
        prompt = PromptText(tokens=[id, *range(1, PROMPT)])
        request = Generate(id, 0, prompt, SAMPLING, Priority.NORMAL, afresh=False)
        host.generate(host.prepare(request, time.monotonic()))
    return 1e6 * _per_step(model, lambda: host.step(time.monotonic))


def _per_step(model: Nothing, step: Callable[[], object]) -> float:
    """Seconds, without those of the model, once all the prompts are computed."""
    for _ in range(32):
        step()
    model.seconds, begin = 0.0, time.perf_counter()
    for _ in range(STEPS):
        step()
    return (time.perf_counter() - begin - model.seconds) / STEPS


async def _serve(count: int, tokens: int) -> float:
    """Through a worker process, all streams at once."""
    async with Engine("fake:", worker="benchmark", options={"slots": count, "step_tokens": 512}) as engine:

        async def client() -> None:
            await engine.complete("A", temperature=0, ignore_eos=True, max_tokens=tokens)

        await client()
        begin = time.perf_counter()
        async with anyio.create_task_group() as group:
            for _ in range(count):
                group.start_soon(client)
        return 1e6 * (time.perf_counter() - begin) / tokens


if __name__ == "__main__":
    run(__doc__, measure)
