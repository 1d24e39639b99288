"""Whisper's log-mel features: what Smart Turn sees of the last seconds of speech.

As OpenAI's Whisper computes them (Radford et al., 2022): 25 ms windows (periodic Hann) every 10 ms, mirrored at the
ends, 80 mel bands from 0 to 8 kHz in Slaney's scale and norm, the logarithm to base 10, no less than 8 below the
loudest, and scaled to about -1 to 1.
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

__all__ = ["log_mel", "standardised"]

RATE = 16_000
FFT = 400
HOP = 160
MELS = 80
BLOCK = 8
"""Frames that are multiplied by the filters at once: so few that OpenBLAS wakes none of its threads."""


def log_mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """float32 [n] at 16 kHz to float32 [80, n // 160]. `n` is a multiple of 1280, of at least 8 frames."""
    padded = np.pad(samples.astype(np.float64), FFT // 2, mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[: len(samples) : HOP]
    spectrum = np.fft.rfft(frames * _window())
    power = spectrum.real**2 + spectrum.imag**2
    energies = (power.reshape(-1, BLOCK, power.shape[1]) @ _filters()).reshape(len(power), MELS)
    logs = np.log10(np.maximum(energies, 1e-10))
    return np.ascontiguousarray(((np.maximum(logs, logs.max() - 8) + 4) / 4).T, np.float32)


def standardised(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """With mean 0 and variance 1; silence stays silence."""
    exact = samples.astype(np.float64)
    scaled: NDArray[np.float32] = ((exact - exact.mean()) / math.sqrt(exact.var() + 1e-7)).astype(np.float32)
    return scaled


@cache
def _window() -> NDArray[np.float64]:
    return np.hanning(FFT + 1)[:-1]


@cache
def _filters() -> NDArray[np.float64]:
    """Triangles of area 1, whose corners are evenly spaced in mels: float64 [201, 80]."""
    mels = np.linspace(0, _mel(RATE / 2), MELS + 2)
    hertz = np.where(mels < 15, mels * 200 / 3, 1000 * np.exp((mels - 15) * math.log(6.4) / 27))
    bins = np.linspace(0, RATE / 2, FFT // 2 + 1)[:, None]
    low, middle, high = hertz[:-2], hertz[1:-1], hertz[2:]
    triangles = np.minimum((bins - low) / (middle - low), (high - bins) / (high - middle))
    filters: NDArray[np.float64] = np.maximum(triangles, 0) * 2 / (high - low)
    return filters


def _mel(hertz: float) -> float:
    """Slaney's scale above 1 kHz."""
    return 15 + 27 * math.log(hertz / 1000) / math.log(6.4)
