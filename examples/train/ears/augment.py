"""Augment: a recording made to sound as from elsewhere. All waves are float32 [samples] at 16 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import soxr
from numpy.fft import irfft, rfft, rfftfreq
from numpy.typing import NDArray

RATE = 16000
Wave = NDArray[np.float32]
Rng = np.random.Generator


def resampled(wave: Wave, ratio: float) -> Wave:
    """Played `ratio` times as fast, so higher and shorter: also how a wave of another rate comes to 16 kHz."""
    return wave if ratio == 1 else np.asarray(soxr.resample(wave, ratio * 1000, 1000), dtype=np.float32)


def varied(wave: Wave, rng: Rng) -> Wave:
    """`wave` at another pitch, in another room, with noise, quieter, between silences."""
    if rng.random() < 0.6:
        wave = resampled(wave, float(np.exp(rng.uniform(-0.17, 0.17))))
    if rng.random() < 0.3:
        wave = tilted(wave, rng)
    if rng.random() < 0.15:
        wave = narrowed(wave, rng.uniform(3300, 7000))
    wave = np.concatenate([silence(rng), wave, silence(rng)])
    if rng.random() < 0.3:
        wave = echoed(wave, rng)
    wave = wave * np.float32(10 ** rng.uniform(-1.0, -0.05) / max(1e-4, np.abs(wave).max()))
    return noisy(wave, rng)


def silence(rng: Rng) -> Wave:
    """Up to 0.7 s of nothing, more often short."""
    return np.zeros(int(RATE * 0.7 * rng.random() ** 2), np.float32)


def noisy(wave: Wave, rng: Rng) -> Wave:
    """With white, pink or brown noise, at 8 to 45 dB below the speech; one in three only with a breath of it."""
    colour = rng.choice((0.0, 0.5, 1.0))
    decibels = rng.uniform(8, 45) if rng.random() < 0.65 else rng.uniform(45, 80)
    level = np.sqrt(np.mean(np.square(wave)) + 1e-12) * 10 ** (-decibels / 20)
    return np.asarray(wave + level.astype(np.float32) * noise(len(wave), colour, rng), np.float32)


def noise(length: int, colour: float, rng: Rng) -> Wave:
    """Noise of mean square 1 whose power falls with frequency to the power of twice `colour`."""
    size = roomy(length)
    spectrum = rfft(rng.standard_normal(size, np.float32))
    spectrum /= np.maximum(np.arange(len(spectrum)), 1 + 50 * size / RATE) ** colour
    wave = irfft(spectrum, size)[:length]
    return np.asarray(wave / (np.sqrt(np.mean(wave**2)) + 1e-12), dtype=np.float32)


def echoed(wave: Wave, rng: Rng) -> Wave:
    """In a room that falls by 60 dB within 0.1 to 0.4 s."""
    fall = rng.uniform(0.1, 0.4)
    times = np.arange(int(RATE * fall)) / RATE
    response = rng.standard_normal(len(times)) * 10 ** (-3 * times / fall) * rng.uniform(0.01, 0.08)
    response[0] = 1.0
    size = roomy(len(wave) + len(times))
    product = rfft(wave, size) * rfft(response.astype(np.float32), size)
    return np.asarray(irfft(product, size)[: len(wave)], dtype=np.float32)


def tilted(wave: Wave, rng: Rng) -> Wave:
    """Brighter or darker: up to ±8 dB between the lowest and the highest frequency."""
    tilt = rng.uniform(-8, 8)
    return _filtered(wave, lambda hertz: 10 ** (hertz / (RATE / 2) * tilt / 20))


def narrowed(wave: Wave, hertz: float) -> Wave:
    """Without what is above `hertz`, as over a telephone."""
    return _filtered(wave, lambda each: 1 / (1 + (each / hertz) ** 16))


def roomy(length: int) -> int:
    """A size of at least `length` without large prime factors, whose Fourier transform is fast."""
    step = 1 << max(0, length.bit_length() - 4)
    return -(-length // step) * step


def _filtered(wave: Wave, gain: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Wave:
    """`wave` with the `gain` of every frequency in hertz."""
    size = roomy(len(wave))
    spectrum = rfft(wave, size) * gain(np.asarray(rfftfreq(size, 1 / RATE), np.float64)).astype(np.float32)
    return np.asarray(irfft(spectrum, size)[: len(wave)], dtype=np.float32)
