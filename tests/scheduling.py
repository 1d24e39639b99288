"""Runs a scheduler over the strict fake, as a worker would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs
import numpy as np

from sauropod._scheduling.scheduler import Scheduler, Step
from sauropod._scheduling.sequence import Sequence
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import Attached, AudioFrame, CacheFull, StepAborted
from sauropod.testing import FakeLanguageModel, FakeOptions

SOUNDS = 30
"""How many tokens that are no text a fake that hears knows."""


@attrs.frozen
class Request:
    """What a test asks for, and when (in steps) it arrives and perhaps is cancelled."""

    prompt: tuple[int, ...]
    sampling: SamplingParams = attrs.field(factory=lambda: SamplingParams(temperature=0, max_tokens=8))
    priority: Priority = Priority.NORMAL
    arrives: int = 0
    cancelled: int | None = None


@attrs.define
class Said:
    tokens: list[int] = attrs.field(factory=list)
    reason: StopReason | None = None
    error: str | None = None


@attrs.define(eq=False)
class Driver:
    """A worker's loop without a worker. The clock counts steps."""

    model: FakeLanguageModel
    options: SchedulerOptions = attrs.field(factory=lambda: SchedulerOptions(ageing=50))
    scheduler: Scheduler = attrs.field(init=False)
    now: int = 0
    said: dict[int, Said] = attrs.field(factory=dict)
    sequences: dict[int, Sequence] = attrs.field(factory=dict)
    heard: Attached | None = None
    """What any prompt to a model that hears may have in it: the tokens from -1 down to -`SOUNDS`."""

    def __attrs_post_init__(self) -> None:
        self.scheduler = Scheduler(self.model, self.options)
        if self.model.info.hears:
            rate = self.model.info.audio_rate
            self.heard = self.model.attach(AudioFrame(np.ones(rate * SOUNDS // 10, np.float32), rate))
            while self.model.hear(self.heard):
                pass

    def add(self, id: int, request: Request) -> Sequence:
        sampling = request.sampling.over(DEFAULT_SAMPLING)
        sequence = Sequence(id, list(request.prompt), sampling, request.priority, self.now, sampling.seed is not None)
        if sampling.grammar is not None:
            self.model.compile(sampling.grammar)
        self.said[id] = Said()
        self.sequences[id] = sequence
        self.scheduler.add(sequence)
        return sequence

    def schedule(self) -> Step:
        """The next step, before it is computed."""
        self.now += 1
        for sequence in self.scheduler.admit(self.now):
            assert sequence.slot is not None
            self.model.open(sequence.slot, sequence.sampling, sequence.prompt, sequence.generated)
        return self.scheduler.schedule(self.now)

    def step(self) -> None:
        step = self.schedule()
        if not step.chunks:
            return
        try:
            sampled = self.model.decode(step.chunks)
        except CacheFull:
            assert self.scheduler.make_room(), "the cache is full with one sequence alone"
            return
        except StepAborted:
            self.scheduler.roll_back(step)
            return
        for output in self.scheduler.update(step, sampled, self.now):
            said = self.said[output.sequence.id]
            if output.token is not None:
                said.tokens.append(output.token)
            said.reason = output.stop_reason
            said.error = None if output.error is None else str(output.error)

    def run(self, requests: Mapping[int, Request] | Iterable[Request]) -> dict[int, Said]:
        pending = dict(requests) if isinstance(requests, Mapping) else dict(enumerate(requests))
        for _ in range(10_000):
            for id, request in list(pending.items()):
                if request.arrives <= self.now and id not in self.sequences:
                    self.add(id, request)
                if request.cancelled is not None and request.cancelled <= self.now and id in self.sequences:
                    self.scheduler.remove(self.sequences[id])
                    del pending[id]
            if not self.scheduler.busy and all(id in self.sequences for id in pending):
                return self.said
            self.step()
        raise AssertionError("not everyone was served within 10,000 steps")


def alone(request: Request, options: FakeOptions) -> Said:
    """What a request gets on a model that serves nothing else, has room for everything and forgets nothing."""
    roomy = attrs.evolve(options, cache_length=0, rewinds=True, aborts=())
    driver = Driver(FakeLanguageModel(roomy))
    return driver.run([attrs.evolve(request, arrives=0, cancelled=None)])[0]
