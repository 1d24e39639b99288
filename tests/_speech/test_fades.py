"""No join is heard, and nothing that is said is taken for silence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod._speech.fades import blend, faded, loud_span

RATE = 24_000


def tone(seconds: float, loudness: float = 0.5, frequency: float = 200.0) -> NDArray[np.float32]:
    return (loudness * np.cos(2 * np.pi * frequency * np.arange(round(seconds * RATE)) / RATE)).astype(np.float32)


@given(st.integers(0, 400), st.integers(0, 150), st.integers(0, 150))
def test_a_faded_piece_is_the_same_between_its_ends(length: int, begin: int, end: int) -> None:
    piece = np.ones(length, np.float32)
    result = faded(piece, begin=begin, end=end)
    assert (piece == 1).all(), "the piece itself was changed"
    if begin + end <= length:
        assert (result[begin : length - end] == 1).all()
    assert ((result >= 0) & (result <= 1)).all()


@given(st.integers(1, 150), st.integers(1, 150), st.integers(1, 200))
def test_a_faded_piece_rises_from_nothing_and_falls_to_it(begin: int, end: int, between: int) -> None:
    result = faded(np.ones(begin + between + end, np.float32), begin=begin, end=end)
    steps = np.abs(np.diff(result, prepend=0, append=0))
    assert steps[: begin + 1].max() <= np.pi / 2 / begin + 1e-6
    assert steps[begin + between :].max() <= np.pi / 2 / end + 1e-6


def test_fades_share_what_is_too_short_for_both() -> None:
    assert faded(np.ones(3, np.float32), begin=100, end=100).max() < 1
    assert len(faded(np.ones(0, np.float32), begin=5, end=5)) == 0


def test_two_faded_pieces_are_joined_without_a_step() -> None:
    begin = end = 120
    joined = np.concatenate([faded(tone(0.1), begin=begin, end=end), faded(-tone(0.1), begin=begin, end=end)])
    inside = np.abs(np.diff(tone(0.1))).max()
    assert np.abs(np.diff(joined)).max() <= inside + 0.5 * np.pi / 2 / begin
    assert np.abs(np.diff(np.concatenate([tone(0.1), -tone(0.1)]))).max() > 0.9


@given(st.integers(1, 300))
def test_blending_a_piece_with_itself_gives_that_piece(length: int) -> None:
    piece = np.random.default_rng(length).normal(size=length).astype(np.float32)
    assert (blend(piece, piece) == piece).all()


def test_blending_goes_from_one_to_the_other() -> None:
    mixed = blend(np.zeros(100, np.float32), np.ones(100, np.float32))
    assert (np.diff(mixed) > 0).all()
    assert mixed[0] < 0.001
    assert mixed[-1] > 0.999


@given(st.floats(0, 0.5), st.floats(0.05, 0.5), st.floats(0, 0.5))
def test_what_is_loud_is_found_within_a_frame(before: float, sounding: float, after: float) -> None:
    hiss = np.random.default_rng(0).normal(0, 1e-5, round((before + sounding + after) * RATE)).astype(np.float32)
    first = round(before * RATE)
    spoken = tone(sounding)[: len(hiss) - first]
    hiss[first : first + len(spoken)] += spoken
    begin, end = loud_span(hiss, RATE)
    assert first - 240 <= begin <= first
    assert first + len(spoken) <= end <= first + len(spoken) + 240


def test_a_soft_last_sound_is_not_silence() -> None:
    said = np.concatenate(
        [tone(0.2), tone(0.1, loudness=0.5 * 10 ** (-40 / 20), frequency=5000), np.zeros(RATE, np.float32)]
    )
    assert loud_span(said, RATE)[1] == pytest.approx(0.3 * RATE, abs=240)


@pytest.mark.parametrize(
    "samples", [np.zeros(0, np.float32), np.zeros(1000, np.float32), np.full(1000, 1e-4, np.float32)]
)
def test_in_silence_nothing_is_loud(samples: NDArray[np.float32]) -> None:
    assert loud_span(samples, RATE) == (0, 0)
