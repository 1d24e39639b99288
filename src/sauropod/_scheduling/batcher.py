"""One-shot calls from many callers, computed together. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

import attrs

__all__ = ["Batcher", "Job"]

Item = TypeVar("Item")
Result = TypeVar("Result")


@attrs.define(eq=False)
class Job(Generic[Item, Result]):
    """One call: items to compute, and the results so far, in the items' order."""

    id: int
    items: Sequence[Item]
    costs: Sequence[int]
    """What each item takes of a step's budget."""
    priority: int = 0
    arrived: float = 0.0
    taken: int = 0
    results: list[Result] = attrs.field(factory=list)

    @property
    def done(self) -> bool:
        return len(self.results) == len(self.items)


@attrs.define(eq=False)
class Batcher(Generic[Item, Result]):
    """Fills steps with items of the jobs there are, the most urgent and then the oldest first.

    A step takes at most `budget`, but always one item, whatever it costs.
    """

    budget: int
    jobs: list[Job[Item, Result]] = attrs.field(factory=list)

    def add(self, job: Job[Item, Result]) -> None:
        self.jobs.append(job)

    def remove(self, id: int) -> None:
        """Forget a job, if it is there. Results of items that are being computed will be dropped."""
        self.jobs = [job for job in self.jobs if job.id != id]

    def take(self) -> list[tuple[Job[Item, Result], Item]]:
        """The items of the next step."""
        left = self.budget
        taken: list[tuple[Job[Item, Result], Item]] = []
        for job in sorted(self.jobs, key=lambda job: (job.priority, job.arrived)):
            while job.taken < len(job.items):
                cost = job.costs[job.taken]
                if taken and cost > left:
                    return taken
                taken.append((job, job.items[job.taken]))
                job.taken += 1
                left -= cost
        return taken

    def give(
        self, taken: Sequence[tuple[Job[Item, Result], Item]], results: Sequence[Result]
    ) -> list[Job[Item, Result]]:
        """Hand out the results of a step. The jobs that are done with it; they are forgotten."""
        for (job, _), result in zip(taken, results, strict=True):
            job.results.append(result)
        finished = [job for job in self.jobs if job.done]
        self.jobs = [job for job in self.jobs if not job.done]
        return finished
