"""Recordings made to sound as from elsewhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("soxr", reason="waves are resampled with it: pip install 'sauropod[speech]'")

from examples.train.ears import augment


@given(st.integers(1, 500_000))
def test_a_roomy_size_has_room_and_no_large_prime_factor(length: int) -> None:
    size = augment.roomy(length)
    assert length <= size <= 1.25 * length + 1
    rest = size
    for prime in (2, 3, 5, 7, 11, 13):
        while rest % prime == 0:
            rest //= prime
    assert rest == 1


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(200, 20_000))
def test_what_is_varied_stays_a_wave(seed: int, length: int) -> None:
    rng = np.random.default_rng(seed)
    wave = augment.varied(rng.normal(0, 0.1, length).astype(np.float32), rng)
    assert wave.dtype == np.float32
    assert wave.ndim == 1
    assert np.isfinite(wave).all()
    assert 0.8 * length <= len(wave) <= 1.2 * length + 1.4 * augment.RATE
    assert np.abs(wave).max() < 3


@pytest.mark.parametrize("colour", [0.0, 0.5, 1.0])
def test_noise_has_a_mean_square_of_one_and_falls_with_its_colour(colour: float) -> None:
    wave = augment.noise(48_000, colour, np.random.default_rng(1))
    assert np.isclose(np.mean(wave**2), 1, atol=1e-3)
    power = np.abs(np.fft.rfft(wave)) ** 2
    low, high = power[3000:4000].mean(), power[12_000:16_000].mean()
    assert np.isclose(low / high, 4 ** (2 * colour), rtol=0.25)


def test_played_twice_as_fast_a_tone_is_twice_as_high_and_half_as_long() -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / augment.RATE).astype(np.float32)
    fast = augment.resampled(tone, 2.0)
    assert len(fast) == 8000
    assert np.abs(np.fft.rfft(fast)).argmax() == 440


def test_a_telephone_leaves_low_tones_and_takes_high_ones() -> None:
    times = np.arange(16_000) / augment.RATE
    low, high = (np.sin(2 * np.pi * hertz * times).astype(np.float32) for hertz in (1000, 6000))
    inner = slice(500, -500)
    assert np.allclose(augment.narrowed(low, 3400)[inner], low[inner], atol=0.01)
    assert np.abs(augment.narrowed(high, 3400)[inner]).max() < 0.01
