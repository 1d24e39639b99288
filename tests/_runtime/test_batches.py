"""One-shot items computed together: every job gets its own answer, and who fails hurts nobody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._runtime.batches import Batches
from sauropod._runtime.protocol import Answer, Failed, Replies
from sauropod._scheduling.batcher import Batcher, Job
from sauropod.errors import BackendError


def tenfold(batch: Sequence[int]) -> Sequence[int]:
    """Fails with what is below 0."""
    for item in batch:
        if item < 0:
            raise ValueError(item)
    return [10 * item for item in batch]


def batches(compute: Callable[[Sequence[int]], Sequence[int]], *jobs: Sequence[int]) -> Batches[int, int]:
    """With jobs that are called 0, 1 and so on."""
    made: Batches[int, int] = Batches(compute, Batcher(1e9))
    for id, items in enumerate(jobs):
        made.add(Job(id, items, [1] * len(items)))
    return made


def finish(running: Batches[int, int], most: int = 3) -> Replies:
    replies: Replies = []
    for _ in range(1000):
        if running.rank(0.0) is None:
            return replies
        replies += running.run(running.batcher.take(100, 0.0, most=most))
    raise AssertionError("the jobs do not come to an end")


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(-1, 9), max_size=5), max_size=6), st.integers(1, 8))
def test_each_job_is_answered_once_and_fails_only_by_its_own_items(jobs: list[list[int]], most: int) -> None:
    replies = finish(batches(tenfold, *jobs), most)
    assert sorted(id for id, _ in replies) == list(range(len(jobs)))
    for id, reply in replies:
        if min(jobs[id], default=0) < 0:
            assert isinstance(reply, Failed)
        else:
            assert reply == Answer([10 * item for item in jobs[id]])


def test_who_fails_is_told_of_its_own_failure() -> None:
    replies = dict(finish(batches(tenfold, [1], [-2], [-3])))
    for id, own in ((1, "-2"), (2, "-3")):
        failed = replies[id]
        assert isinstance(failed, Failed)
        with pytest.raises(BackendError, match=own):
            failed.throw()


def test_a_failing_job_alone_is_not_tried_again() -> None:
    tried: list[int] = []

    def fail(batch: Sequence[int]) -> Sequence[int]:
        tried.extend(batch)
        raise ValueError

    finish(batches(fail, [1, 2]))
    assert tried == [1, 2]


@pytest.mark.parametrize("results", [[], [1], [1, 2, 3]])
def test_a_backend_that_miscounts_is_an_error(results: list[int]) -> None:
    ((_, reply),) = finish(batches(lambda batch: results, [1, 2]))
    assert isinstance(reply, Failed)
    with pytest.raises(BackendError, match=f"{len(results)} results for 2 inputs"):
        reply.throw()


def test_a_backend_is_never_asked_for_nothing() -> None:
    asked: list[int] = []

    def count(batch: Sequence[int]) -> Sequence[int]:
        asked.append(len(batch))
        return batch

    assert finish(batches(count, [])) == [(0, Answer([]))]
    assert asked == []
    assert sorted(finish(batches(count, [], [5]))) == [(0, Answer([])), (1, Answer([5]))]
    assert asked == [1]


def test_the_results_of_a_job_that_was_removed_are_dropped() -> None:
    def leave(batch: Sequence[int]) -> Sequence[int]:
        running.remove(0)
        return batch

    running = batches(leave, [1], [2])
    assert finish(running) == [(1, Answer([2]))]


def test_cleared_nothing_is_left() -> None:
    running = batches(tenfold, [1], [2, 3])
    assert running.ids == [0, 1]
    running.clear()
    assert (running.ids, running.rank(0.0)) == ([], None)
