"""One-shot items of many callers, computed together; if that fails, it is found out whose are to blame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import attrs

from sauropod._runtime.protocol import Answer, Failed, Replies
from sauropod._scheduling.batcher import Batcher, Job
from sauropod.errors import BackendError

__all__ = ["Batches"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@attrs.define(eq=False)
class Batches(Generic[Item, Result]):
    """The jobs of one model. All of it happens on the worker's step thread."""

    compute: Callable[[Sequence[Item]], Sequence[Result]]
    """The backend's method: one result for each item, in their order."""
    batcher: Batcher[Item, Result]

    @property
    def ids(self) -> list[int]:
        """The exchanges that wait for something."""
        return [job.id for job in self.batcher.jobs]

    def add(self, job: Job[Item, Result]) -> None:
        self.batcher.add(job)

    def remove(self, id: int) -> None:
        self.batcher.remove(id)

    def clear(self) -> None:
        """Forget all jobs."""
        self.batcher.jobs.clear()

    def rank(self, now: float) -> int | None:
        """The rank of the most urgent job; None if there is none."""
        return self.batcher.rank(now)

    def run(self, taken: Sequence[tuple[Job[Item, Result], Item]]) -> Replies:
        """Compute what was taken of the batcher, and answer the jobs that are done with it."""
        try:
            results = self._results(taken)
        except Exception as error:
            return self._one_by_one(taken, error)
        return [(job.id, Answer(job.results)) for job in self.batcher.give(taken, results)]

    def _one_by_one(self, taken: Sequence[tuple[Job[Item, Result], Item]], error: Exception) -> Replies:
        """The batch failed: each job by itself, for the others want their answers."""
        jobs = list(dict.fromkeys(job for job, _ in taken))
        replies: Replies = []
        for job in jobs:
            own = [pair for pair in taken if pair[0] is job]
            try:
                if len(jobs) == 1:
                    raise error
                finished = self.batcher.give(own, self._results(own))
                replies += [(each.id, Answer(each.results)) for each in finished]
            except Exception as fault:
                self.batcher.remove(job.id)
                replies.append((job.id, Failed.of(fault)))
        return replies

    def _results(self, taken: Sequence[tuple[Job[Item, Result], Item]]) -> Sequence[Result]:
        results = list(self.compute([item for _, item in taken])) if taken else []  # a job may have no items
        if len(results) != len(taken):
            raise BackendError(f"The backend gave {len(results)} results for {len(taken)} inputs.")
        return results
