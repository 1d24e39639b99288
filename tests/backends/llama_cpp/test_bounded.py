"""What takes too long is left behind, and waited for in the end."""

from __future__ import annotations

import threading

import pytest

from sauropod.backends.llama_cpp.bounded import BoundedRuns


def test_what_takes_too_long_is_a_timeout_and_is_waited_for_at_the_end() -> None:
    runs: BoundedRuns[bool] = BoundedRuns(0.01, "test")
    going_on, done = threading.Event(), threading.Event()

    def slow() -> bool:
        going_on.wait()
        done.set()
        return True

    with pytest.raises(TimeoutError):
        runs.run(slow)
    going_on.set()
    runs.join()
    assert done.is_set()


def test_results_and_errors_come_through_and_the_stack_of_others_stays_as_it_is() -> None:
    usual = threading.stack_size()
    runs: BoundedRuns[int] = BoundedRuns(60, "test")
    assert runs.run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        runs.run(lambda: 1 // 0)
    assert threading.stack_size() == usual
