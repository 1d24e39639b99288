"""Another sample rate, however the audio is cut up."""

from __future__ import annotations

import sys
from itertools import pairwise
from math import gcd

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod._speech.resampler import Resampler
from sauropod.errors import BackendNotFound, UnsupportedInput

pytest.importorskip("soxr")

RATES = (8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000)
rates = st.sampled_from(RATES)


def noise(count: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).uniform(-1, 1, count).astype(np.float32)


def resampled(pieces: list[NDArray[np.float32]], from_rate: int, to_rate: int) -> NDArray[np.float32]:
    resampler = Resampler(from_rate, to_rate)
    return np.concatenate([*(resampler.feed(piece) for piece in pieces), resampler.finish()])


@given(rates, rates, st.integers(0, 5000), st.lists(st.integers(0, 5000), max_size=8))
@settings(max_examples=150, deadline=None)
def test_no_way_of_cutting_makes_a_difference(from_rate: int, to_rate: int, count: int, places: list[int]) -> None:
    samples = noise(count)
    bounds = [0, *sorted(min(place, count) for place in places), count]
    whole = resampled([samples], from_rate, to_rate)
    cut = resampled([samples[begin:end] for begin, end in pairwise(bounds)], from_rate, to_rate)
    assert (cut == whole).all()
    assert cut.dtype == np.float32
    assert len(whole) == (2 * count * to_rate + from_rate) // (2 * from_rate)


@given(rates, st.integers(0, 5000))
@settings(deadline=None)
def test_equal_rates_change_nothing(rate: int, count: int) -> None:
    samples = noise(count)
    assert (resampled([samples[: count // 3], samples[count // 3 :]], rate, rate) == samples).all()


@pytest.mark.parametrize("from_rate", RATES)
@pytest.mark.parametrize("to_rate", [8000, 16000, 24000, 48000])
def test_a_tone_stays_where_it_is_in_time_and_pitch(from_rate: int, to_rate: int) -> None:
    """Against the tone itself, computed at the other rate."""

    def tone(rate: int) -> NDArray[np.float32]:
        seconds = np.arange(rate) / rate
        fade = np.sin(np.pi * seconds) ** 4  # no edges, which would ring
        return (0.5 * fade * np.sin(2 * np.pi * 997 * seconds)).astype(np.float32)

    assert np.abs(resampled([tone(from_rate)], from_rate, to_rate) - tone(to_rate)).max() < 1e-4


def test_what_a_lower_rate_cannot_hold_is_filtered_out() -> None:
    hiss = np.sin(2 * np.pi * 7000 * np.arange(48000) / 48000).astype(np.float32)
    assert np.abs(resampled([hiss], 48000, 8000)[100:-100]).max() < 1e-4


def test_only_a_little_is_held_back() -> None:
    for from_rate in RATES:
        resampler = Resampler(from_rate, 16000)
        assert from_rate == 16000 or 0 < 1 - len(resampler.feed(noise(from_rate))) / 16000 < 0.09


def test_the_samples_that_go_in_are_not_changed() -> None:
    samples = noise(1000)
    kept = samples.copy()
    resampled([samples], 16000, 24000)
    assert (samples == kept).all()


def test_strided_and_wider_samples_are_taken_too() -> None:
    samples = noise(2000)
    expected = resampled([samples[::2].copy()], 16000, 24000)
    assert (resampled([samples[::2]], 16000, 24000) == expected).all()
    assert (resampled([samples[::2].astype(np.float64)], 16000, 24000) == expected).all()


@pytest.mark.parametrize("rate", [0, -16000, 999, 768_001, 10**9, 16000.0, True, "16000", None])
def test_a_rate_that_cannot_be_meant_is_refused(rate: int) -> None:
    with pytest.raises(UnsupportedInput, match="from_rate must be a whole number"):
        Resampler(rate, 16000)
    with pytest.raises(UnsupportedInput, match="to_rate must be a whole number"):
        Resampler(16000, rate)


def test_two_channels_are_refused() -> None:
    with pytest.raises(UnsupportedInput, match=r"one channel.*\(10, 2\)"):
        Resampler(16000, 24000).feed(np.zeros((10, 2), np.float32))


def test_a_finished_stream_takes_nothing_more() -> None:
    resampler = Resampler(16000, 24000)
    resampler.finish()
    with pytest.raises(UnsupportedInput, match="new one"):
        resampler.feed(noise(10))


def test_without_soxr_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soxr", None)
    with pytest.raises(BackendNotFound, match=r'pip install "sauropod\[speech\]"'):
        Resampler(16000, 24000)
    assert Resampler(16000, 16000).feed(noise(10)).size == 10


def test_a_length_is_what_the_ratio_says_even_for_odd_ratios() -> None:
    for from_rate, to_rate in ((47999, 16001), (44100, 16000), (1000, 768000)):
        assert gcd(from_rate, to_rate) < 1001
        count = 12345
        assert len(resampled([noise(count)], from_rate, to_rate)) == int(count * to_rate / from_rate + 0.5)
