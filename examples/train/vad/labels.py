"""Which frames of clean speech are speech, read off their loudness."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

FRAME = 320
"""Samples of a frame: 20 ms at 16 kHz."""
BELOW = 40.0
"""How far under the loud parts speech still is speech, in decibels: soft fricatives lie some 35 below vowels."""
PAUSE = 6
"""Frames of silence that still belong to a word: the closures of stops take up to 100 ms."""


def speech_frames(samples: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool [⌈n / 320⌉]: whether somebody speaks in each frame of a recording without noise."""
    count = -(-len(samples) // FRAME)
    padded = np.zeros(count * FRAME, np.float32)
    padded[: len(samples)] = samples
    power = (padded.reshape(count, 4, FRAME // 4) ** 2).mean(2)  # quarters, so that a frame half full counts
    if not power.any():
        return np.zeros(count, np.bool_)
    loud = np.percentile(power[power > power.max() * 1e-4], 80)
    heard: NDArray[np.bool_] = (power > loud * 10 ** (-BELOW / 10)).sum(1) >= 2
    return without_gaps(heard, PAUSE)


def without_gaps(heard: NDArray[np.bool_], longest: int) -> NDArray[np.bool_]:
    """Fill silences of at most `longest` frames that have speech on both sides."""
    filled = heard.copy()
    at = np.flatnonzero(heard)
    for before, after in pairwise(at):
        if after - before <= longest + 1:
            filled[before:after] = True
    return filled
