"""One model that hears or speaks in a worker: its items are computed in batches."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import attrs

from sauropod._runtime.batches import Batches
from sauropod._runtime.protocol import Compute, ModelRequest, Replies
from sauropod._scheduling.batcher import Batcher, Job
from sauropod._values.scheduling import SchedulerOptions
from sauropod._values.speech import Clip, Heard
from sauropod.abc import (
    AudioCodec,
    Recognizer,
    SpeechInfo,
    SpeechModel,
    Synthesizer,
    TurnDetector,
    VoiceDetector,
)
from sauropod.errors import BackendError, UnsupportedInput

__all__ = ["SpeechHost"]

LONGEST = 60
"""Seconds of audio that one step of a recogniser hears at most, unless one clip alone is longer."""


@attrs.define(eq=False)
class SpeechHost:
    """Everything about one model. All of it happens on the worker's step thread, except `accept`."""

    model: SpeechModel
    options: SchedulerOptions
    batches: Batches[Any, Any] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.batches = Batches(_batch_method(self.model), Batcher(self.options.ageing))

    @property
    def info(self) -> SpeechInfo:
        return self.model.info

    def accept(self, request: ModelRequest, received: float) -> Callable[[], None]:
        """Prepare a request's items, in the model's own thread. What is returned takes them in."""
        if not isinstance(request, Compute):
            raise UnsupportedInput(f"{self.info.name} is a {self.info.kind.replace('_', ' ')} and writes no text.")
        items = [self.model.prepare(item) for item in request.items]  # first: it refuses what has no samples to count
        costs = [_cost(item) for item in request.items]
        return partial(self.batches.add, Job(request.id, items, costs, request.priority, received))

    def interrupt(self, id: int) -> None:
        """A batch cannot be stopped halfway; they are short."""

    def cancel(self, id: int) -> None:
        self.batches.remove(id)

    def close(self) -> None:
        self.model.close()

    def urgency(self, now: float) -> int | None:
        """The rank of the most urgent work there is; None if there is none. Lower is more urgent."""
        return self.batches.rank(now)

    def step(self, clock: Callable[[], float]) -> Replies:
        """One call of the backend."""
        info = self.info
        budget = LONGEST * info.sample_rate
        return self.batches.run(self.batches.batcher.take(budget, clock(), most=max(1, info.batch), alike=True))


def _batch_method(model: SpeechModel) -> Callable[[Sequence[Any]], Sequence[Any]]:
    match model:
        case Recognizer():
            return model.recognize
        case Synthesizer():
            return model.synthesize
        case VoiceDetector():
            return model.detect
        case TurnDetector():
            return model.judge
        case AudioCodec():
            return model.decode_audio
    raise BackendError(f"{type(model).__name__} is none of the models that sauropod.abc describes.")


def _cost(item: Any) -> int:
    """What an item takes of a step: samples, for what is heard."""
    return len(item.samples) if isinstance(item, Clip | Heard) else 1
