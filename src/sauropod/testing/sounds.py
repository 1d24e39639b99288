"""Sounds to try models that hear with: made of arithmetic, and the same every time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from sauropod.testing.fake_speech import speech_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["no_sounds", "noise", "sounds", "sweep", "vowels"]

VOWELS = ((730, 1090), (270, 2290), (300, 870), (530, 1840), (570, 840), (660, 1720))
"""The first two formants in Hz of six vowels of American men (Peterson and Barney, JASA 24, 1952)."""
SYLLABLE = 0.22
"""Seconds of one vowel, with the silence after it."""
PITCH = 110.0


def sounds(rate: int) -> Sequence[NDArray[np.float32]]:
    """Clips of 0.4 to 2.4 seconds, all different: float32 [n] each, from -1 to 1. They are the caller's own."""
    return [clip.copy() for clip in _sounds(rate)]


@cache
def _sounds(rate: int) -> Sequence[NDArray[np.float32]]:
    import numpy as np

    quiet = np.zeros(rate * 2 // 5, np.float32)
    spoken = speech_of("Hello there, this is a test.", rate)
    babble = vowels(1.6, rate)
    hushed = np.concatenate([vowels(1.1, rate, seed=2), quiet])
    return (
        np.concatenate([quiet, spoken, quiet]),
        babble,
        noise(0.7, rate, seed=1),
        np.concatenate([babble, quiet, speech_of("and more of it", rate)[7:]]),
        sweep(0.9, rate),
        quiet,
        hushed + noise(len(hushed) / rate, rate, seed=3, level=0.01),
    )


def no_sounds() -> Mapping[str, Any]:
    """What nobody can hear, by what is wrong with it."""
    import numpy as np

    broken = np.zeros(1000, np.float32)
    broken[500] = np.nan
    endless = np.zeros(1000, np.float32)
    endless[500] = np.inf
    return {
        "samples that are NaN": broken,
        "samples that are infinite": endless,
        "samples of 16 bits": np.zeros(1000, np.int16),
        "samples of two channels": np.zeros((1000, 2), np.float32),
        "bytes instead of samples": b"\0" * 4000,
    }


def noise(seconds: float, rate: int, *, seed: int, level: float = 0.2) -> NDArray[np.float32]:
    """White noise: float32 [n]."""
    import numpy as np

    drawn = np.random.default_rng(seed).uniform(-level, level, round(seconds * rate))
    return drawn.astype(np.float32)


def sweep(seconds: float, rate: int) -> NDArray[np.float32]:
    """A tone that rises from 100 Hz to a quarter of the rate: float32 [n]."""
    import numpy as np

    pitch = np.geomspace(100, rate / 4, round(seconds * rate))
    return (0.4 * np.sin(2 * np.pi * np.cumsum(pitch) / rate)).astype(np.float32)


def vowels(seconds: float, rate: int, *, seed: int = 0) -> NDArray[np.float32]:
    """Somebody who says vowels: harmonics of a voice under two formants, which change with every syllable.

    float32 [n].
    """
    import numpy as np

    count = round(seconds * rate)
    time = np.arange(count) / rate
    which = np.random.default_rng(seed).integers(0, len(VOWELS), int(seconds / SYLLABLE) + 1)
    formants = np.array(VOWELS)[which[(time / SYLLABLE).astype(int)]]
    phase = 2 * np.pi * np.cumsum(PITCH * (1 + 0.1 * np.sin(2 * np.pi * 0.7 * time))) / rate
    total = np.zeros(count)
    for number in range(1, int(min(4000, rate / 2) / (1.1 * PITCH))):
        away = (number * PITCH - formants) / (60 + 0.06 * formants)  # in half widths of a formant
        total += (1 / (1 + away**2)).sum(axis=1) * np.sin(number * phase) / np.sqrt(number)
    loudness = np.sin(np.pi * np.minimum(1, (time % SYLLABLE) / (0.85 * SYLLABLE))) ** 2
    total *= loudness
    return np.asarray(0.5 * total / np.abs(total).max(), np.float32)
