"""What is no speech: noise, hum, music, knocks, motors. Drawn from a seeded generator, float32 [n] of power 1."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

RATE = 16000
Samples = NDArray[np.float32]


def coloured(random: np.random.Generator, count: int) -> Samples:
    """Noise whose power falls by 0 to 8 dB an octave: white, pink, brown and what lies between."""
    return _shaped(random, count, lambda hertz: hertz ** -random.uniform(0, 1.35))


def fan(random: np.random.Generator, count: int) -> Samples:
    """A fan: low noise, the tone of its blades, and a slow beat."""
    beat = 1 + random.uniform(0, 0.4) * np.sin(2 * np.pi * random.uniform(0.5, 12) * _seconds(count))
    low = _shaped(random, count, lambda hertz: 1 / (1 + (hertz / random.uniform(200, 2000)) ** 2))
    return _unit(low * beat + random.uniform(0, 0.6) * _tone(random, count, random.uniform(60, 600), 6))


def hum(random: np.random.Generator, count: int) -> Samples:
    """Mains hum and its harmonics, over a little hiss."""
    tone = _tone(random, count, random.choice([50.0, 60.0, 100.0, 120.0]), int(random.integers(3, 30)))
    return _unit(tone + random.uniform(0.001, 0.3) * coloured(random, count))


def tones(random: np.random.Generator, count: int) -> Samples:
    """Pure tones and sweeps, beeping or held: alarms, dial tones, sirens."""
    seconds = _seconds(count)
    mixed = np.zeros(count)
    for _ in range(random.integers(1, 4)):
        start, end = np.exp(random.uniform(np.log(80), np.log(6000), 2))
        sweep = random.random() < 0.4
        wobble = np.sin(2 * np.pi * random.uniform(0.2, 6) * seconds) if sweep else np.zeros(count)
        hertz = (start + end) / 2 + (end - start) / 2 * wobble if sweep else np.full(count, start)
        mixed += np.sin(2 * np.pi * np.cumsum(hertz) / RATE) * random.uniform(0.2, 1)
    return _unit(mixed * _gate(random, count, 0.03, 1.5) + random.uniform(0.0001, 0.03) * coloured(random, count))


def music(random: np.random.Generator, count: int) -> Samples:
    """Notes of a scale with harmonics, plucked or bowed, several voices and sometimes drums."""
    mixed = np.zeros(count)
    root, tempo = random.uniform(60, 200), random.uniform(0.1, 0.6)
    scale = 2 ** (np.array([0, 2, 4, 5, 7, 9, 11, 12, 14, 16]) / 12)
    for _ in range(random.integers(1, 5)):
        octave, plucked, partials = 2.0 ** random.integers(0, 4), random.random() < 0.6, int(random.integers(1, 14))
        at = 0
        while at < count:
            length = min(int(tempo * RATE * random.choice([0.5, 1, 1, 2, 4])) + 1, count - at)
            if random.random() < 0.85:
                note = _tone(random, length, root * octave * random.choice(scale), partials)
                mixed[at : at + length] += note * _envelope(random, length, plucked) * random.uniform(0.3, 1)
            at += length
    if random.random() < 0.4:
        mixed += 2 * knocks(random, count)
    return _unit(mixed + random.uniform(0.0001, 0.02) * coloured(random, count))


def knocks(random: np.random.Generator, count: int) -> Samples:
    """Clicks, keys, knocks, doors: short decaying bursts of filtered noise."""
    mixed = 1e-4 * random.standard_normal(count)
    for _ in range(random.integers(1, 2 + count // 2500)):
        length = min(int(RATE * np.exp(random.uniform(np.log(0.002), np.log(0.4)))), count)
        at = int(random.integers(0, count - length + 1))
        ringing = random.random() < 0.3
        burst = _tone(random, length, random.uniform(100, 4000), 4) if ringing else coloured(random, length)
        mixed[at : at + length] += (
            burst * np.exp(-np.linspace(0, random.uniform(3, 9), length)) * random.uniform(0.1, 1)
        )
    return _unit(mixed)


def rain(random: np.random.Generator, count: int) -> Samples:
    """Bands of noise that swell: wind, rain, water, breath, rustling, applause."""
    centre, width = np.exp(random.uniform(np.log(150), np.log(6000))), random.uniform(0.2, 1.5)
    band = _shaped(random, count, lambda hertz: np.exp(-((np.log(hertz / centre) / width) ** 2)))
    return _unit(band * _swell(random, count) + random.uniform(0.001, 0.3) * coloured(random, count))


def engine(random: np.random.Generator, count: int) -> Samples:
    """Motors: many harmonics of a low tone that drifts, and rattle."""
    drift = 1 + 0.3 * (_swell(random, count) - 1)
    phase = 2 * np.pi * np.cumsum(random.uniform(20, 150) * drift) / RATE
    mixed = np.zeros(count)
    for each in range(1, int(random.integers(5, 30))):
        mixed += np.sin(each * phase + random.uniform(0, 6)) * random.uniform(0.2, 1) / each ** random.uniform(0.3, 1.2)
    return _unit(_unit(mixed) + random.uniform(0.05, 1) * coloured(random, count))


def animal(random: np.random.Generator, count: int) -> Samples:
    """Chirps, barks and squeaks: short glides with harmonics."""
    mixed = 1e-4 * random.standard_normal(count)
    high = random.random() < 0.6
    for _ in range(random.integers(1, 2 + count // 6000)):
        length = min(int(RATE * random.uniform(0.03, 0.25)), count)
        at = int(random.integers(0, count - length + 1))
        start, end = random.uniform(1500, 6000, 2) if high else random.uniform(250, 900, 2)
        phase = 2 * np.pi * np.cumsum(np.linspace(start, end, length)) / RATE
        call = sum(np.sin(each * phase) / each for each in range(1, 2 if high else 8))
        rough = 0.0 if high else random.uniform(0, 0.5)
        mixed[at : at + length] += (call + rough * random.standard_normal(length)) * np.hanning(length)
    return _unit(mixed)


KINDS: Mapping[str, Callable[[np.random.Generator, int], Samples]] = {
    "coloured": coloured,
    "fan": fan,
    "hum": hum,
    "tones": tones,
    "music": music,
    "knocks": knocks,
    "rain": rain,
    "engine": engine,
    "animal": animal,
}


def _seconds(count: int) -> NDArray[np.float64]:
    return np.arange(count) / RATE


def _unit(samples: NDArray[np.floating]) -> Samples:
    """Of power 1."""
    scaled: Samples = (samples / (np.sqrt(np.mean(samples**2)) + 1e-12)).astype(np.float32)
    return scaled


def _shaped(
    random: np.random.Generator, count: int, gain: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Samples:
    """White noise with this amplitude at each frequency, in hertz."""
    size = 1 << (count - 1).bit_length()  # a power of two, so that the transform is fast
    spectrum = np.fft.rfft(random.standard_normal(size))
    hertz = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20.0)
    return _unit(np.fft.irfft(spectrum * gain(hertz), size)[:count])


def _tone(random: np.random.Generator, count: int, hertz: float, partials: int) -> Samples:
    """A tone with harmonics of random strengths, none above 7.5 kHz."""
    seconds, mixed = _seconds(count), np.zeros(count)
    for each in range(1, partials + 1):
        if each * hertz < 7500:
            strength = random.uniform(0.2, 1) / each ** random.uniform(0.3, 1.5)
            mixed += strength * np.sin(2 * np.pi * each * hertz * seconds + random.uniform(0, 6))
    return _unit(mixed)


def _envelope(random: np.random.Generator, count: int, plucked: bool) -> NDArray[np.float64]:
    """How a note sounds and dies."""
    if plucked:
        return np.exp(-np.linspace(0, random.uniform(2, 7), count))
    edge = np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.03 * RATE)
    return np.minimum(edge, 1.0)


def _gate(random: np.random.Generator, count: int, shortest: float, longest: float) -> NDArray[np.float64]:
    """On and off in turn; sometimes always on."""
    if random.random() < 0.4:
        return np.ones(count)
    gate, at, on = np.zeros(count), 0, True
    while at < count:
        length = int(RATE * random.uniform(shortest, longest))
        gate[at : at + length] = on
        at, on = at + length, not on
    return gate


def _swell(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Slow change of loudness around 1: up to eight corners a second, straight between."""
    corners = max(2, int(count / RATE * random.uniform(0.5, 8)) + 1)
    return np.interp(np.linspace(0, corners - 1, count), np.arange(corners), random.uniform(0.1, 1.9, corners))
