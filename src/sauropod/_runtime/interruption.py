"""When a cancelled text is worth stopping a running step for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

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

    @contextmanager
    def during(self, step: Step) -> Iterator[None]:
        """While this lasts the step is running. Raises `StepAborted` if nobody wants it any more."""
        with self._lock:
            if self._is_unwanted(step):
                raise StepAborted
            self._step = step
        stopped = False
        try:
            yield
        except StepAborted:
            stopped = True
            raise
        finally:
            with self._lock:
                self._step, self._stopped_last = None, stopped

    def cancel(self, id: int) -> None:
        with self._lock:
            self._cancelled.add(id)
            if self._step is not None and self._worth_stopping(self._step, id):
                self.model.abort()

    def forget(self, id: int) -> None:
        with self._lock:
            self._cancelled.discard(id)

    def _is_unwanted(self, step: Step) -> bool:
        return all(sequence.id in self._cancelled for sequence in step.sequences)

    def _worth_stopping(self, step: Step, id: int) -> bool:
        if self._is_unwanted(step):
            return True
        pairs = zip(step.sequences, step.chunks, strict=True)
        is_prompt = any(sequence.id == id and len(chunk.tokens) > 1 for sequence, chunk in pairs)
        return is_prompt and not self._stopped_last and self.model.info.rewinds
