"""The last stretch of a stream, by place: against one long array."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod._speech.tape import Tape


def numbers(start: int, count: int) -> NDArray[np.float32]:
    """Samples that tell their place."""
    return np.arange(start, start + count, dtype=np.float32)


def taped(*lengths: int) -> Tape:
    tape = Tape()
    for length in lengths:
        tape.append(numbers(tape.end, length))
    return tape


LENGTHS = st.lists(st.integers(0, 9), max_size=8)
PLACE = st.integers(-3, 80)


@settings(deadline=None)
@given(LENGTHS, PLACE, PLACE)
def test_samples_are_those_of_the_stream_however_they_came(lengths: list[int], start: int, end: int) -> None:
    tape = taped(*lengths)
    assert tape.end == sum(lengths)
    expected = numbers(0, tape.end)[max(0, start) : max(0, end)]
    found = tape.samples(start, end)
    assert found.dtype == np.float32
    assert np.array_equal(found, expected)


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-5, 90)), max_size=10), PLACE, PLACE)
def test_what_is_forgotten_is_old_and_all_else_is_where_it_was(
    steps: list[tuple[int, int]], start: int, end: int
) -> None:
    tape, latest = Tape(), 0
    for length, before in steps:
        tape.append(numbers(tape.end, length))
        tape.forget(before)
        latest = max(latest, before)
    assert tape.start <= max(0, latest)
    assert 0 <= tape.start <= tape.end == sum(length for length, _ in steps)
    expected = numbers(0, tape.end)[max(tape.start, start) : max(0, end)]
    assert np.array_equal(tape.samples(start, end), expected)


@settings(deadline=None)
@given(LENGTHS, PLACE)
def test_less_than_a_block_too_much_is_kept(lengths: list[int], before: int) -> None:
    tape = taped(*lengths)
    tape.forget(before)
    edges = [0, *np.cumsum(lengths)]
    assert tape.start == max(edge for edge in edges if edge <= max(0, before))


def test_memory_that_is_filled_again_changes_nothing() -> None:
    tape, memory = Tape(), np.zeros(4, np.float32)
    for level in (1.0, 2.0):
        memory[:] = level
        tape.append(memory)
    memory[:] = 3.0
    assert list(tape.samples(0, 8)) == [1.0] * 4 + [2.0] * 4


def test_what_is_given_out_is_a_copy() -> None:
    tape = taped(4)
    tape.samples(0, 4)[:] = 9
    assert list(tape.samples(0, 4)) == [0, 1, 2, 3]
