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
    served: float = attrs.field(init=False)
    """When items of it were last taken."""

    def __attrs_post_init__(self) -> None:
        self.served = self.arrived

    @property
    def done(self) -> bool:
        return len(self.results) == len(self.items)

    def rank(self, now: float, ageing: float) -> int:
        """Its priority, raised by one for every `ageing` seconds it has not been served."""
        return self.priority - int((now - self.served) / ageing)


@attrs.define(eq=False)
class Batcher(Generic[Item, Result]):
    """Fills steps with items of the jobs there are, the most urgent and then the oldest first."""

    ageing: float
    """Seconds without being served that raise a job's priority by one."""
    jobs: list[Job[Item, Result]] = attrs.field(factory=list)

    def add(self, job: Job[Item, Result]) -> None:
        self.jobs.append(job)

    def remove(self, id: int) -> None:
        """Forget a job, if it is there. Results of items that are being computed will be dropped."""
        self.jobs = [job for job in self.jobs if job.id != id]

    def rank(self, now: float) -> int | None:
        """The rank of the most urgent job; None if there is no job. Lower is more urgent."""
        return min((job.rank(now, self.ageing) for job in self.jobs), default=None)

    def take(
        self, budget: int, now: float, *, most: int | None = None, alike: bool = False
    ) -> list[tuple[Job[Item, Result], Item]]:
        """The items of the next step: of cost `budget` at most, but always one, whatever it costs.

        At most `most` of them. With `alike` none that is less urgent than the first, which would only wait for it.
        """
        left = budget
        taken: list[tuple[Job[Item, Result], Item]] = []
        urgent = self.rank(now)
        for job in sorted(self.jobs, key=lambda job: (job.rank(now, self.ageing), job.arrived)):
            if alike and job.rank(now, self.ageing) != urgent:
                return taken
            while job.taken < len(job.items):
                cost = job.costs[job.taken]
                if taken and (cost > left or len(taken) == most):
                    return taken
                taken.append((job, job.items[job.taken]))
                job.taken += 1
                job.served = now
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
