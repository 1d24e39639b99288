"""One-shot calls computed together: who is served when, and that every result finds its job."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from sauropod._scheduling.batcher import Batcher, Job


def batcher(*jobs: Job[int, int], ageing: float = 1e9) -> Batcher[int, int]:
    made: Batcher[int, int] = Batcher(ageing)
    for job in jobs:
        made.add(job)
    return made


def job(id: int, items: Sequence[int], priority: int = 1, arrived: float = 0.0) -> Job[int, int]:
    return Job(id, items, list(items), priority, arrived)


@given(st.lists(st.tuples(st.lists(st.integers(1, 9), max_size=6), st.integers(0, 2)), max_size=8), st.integers(1, 12))
def test_every_job_gets_the_results_of_its_items_in_their_order(
    asked: list[tuple[list[int], int]], budget: int
) -> None:
    jobs = [job(id, items, priority) for id, (items, priority) in enumerate(asked) if items]
    filled = batcher(*jobs)
    finished: list[Job[int, int]] = []
    while filled.jobs:
        taken = filled.take(budget, 0.0)
        assert len(taken) == 1 or sum(item for _, item in taken) <= budget
        finished += filled.give(taken, [item * 10 for _, item in taken])
    assert sorted(each.id for each in finished) == [each.id for each in jobs]
    assert all(each.results == [item * 10 for item in each.items] for each in finished)


def test_the_most_urgent_and_then_the_oldest_go_first() -> None:
    filled = batcher(
        job(1, [1], priority=1, arrived=1.0), job(2, [1], priority=2), job(3, [1], arrived=0.5), job(4, [1], 0)
    )
    assert [each.id for each, _ in filled.take(4, 1.0)] == [4, 3, 1, 2]


def test_who_waits_long_enough_is_served_though_others_are_more_urgent() -> None:
    filled = batcher(job(1, [1] * 10, priority=2), ageing=5.0)
    for second in range(1, 30):
        filled.add(job(second + 1, [1], priority=1, arrived=float(second)))
        if any(each.id == 1 for each, _ in filled.take(1, float(second))):
            break
    assert second == 5  # it is as urgent then, and older


def test_a_job_that_is_forgotten_is_not_taken() -> None:
    filled = batcher(job(1, [1]), job(2, [1]))
    filled.remove(1)
    assert [each.id for each, _ in filled.take(9, 0.0)] == [2]
    assert filled.rank(0.0) == 1
    filled.remove(2)
    assert filled.rank(0.0) is None
