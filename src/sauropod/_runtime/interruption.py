"""When a cancelled text is worth stopping a running step for."""

from __future__ import annotations

import threading

import attrs

from sauropod._scheduling.scheduler import Step
from sauropod.abc import LanguageModel, StepAborted

__all__ = ["Interruption"]


@attrs.define(eq=False)
class Interruption:
    """Watches over a model's steps. Used from two threads: the one that steps, and the one that hears of cancellations.

    Others in the step lose what it computed for them and go on from where they were. So no two steps in a row are
    stopped while any of them is still wanted, and none at all of a model that cannot go back to where it was.
    """

    model: LanguageModel
    _step: Step | None = None
    _cancelled: set[int] = attrs.field(factory=set)
    _stopped_last: bool = False
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def during(self, step: Step) -> Interruption:
        """A context: the step is running."""
        self._step = step
        return self

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._lock:
            self._step = None
            self._stopped_last = kind is StepAborted

    def cancel(self, id: int) -> None:
        with self._lock:
            self._cancelled.add(id)
            if self._step is not None and self._worth_stopping(self._step, id):
                self.model.abort()

    def forget(self, id: int) -> None:
        with self._lock:
            self._cancelled.discard(id)

    def _worth_stopping(self, step: Step, id: int) -> bool:
        if all(sequence.id in self._cancelled for sequence in step.sequences):
            return True
        pairs = zip(step.sequences, step.chunks, strict=True)
        is_prompt = any(sequence.id == id and len(chunk.tokens) > 1 for sequence, chunk in pairs)
        return is_prompt and not self._stopped_last and self.model.info.rewinds
