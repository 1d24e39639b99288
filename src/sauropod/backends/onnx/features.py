"""NeMo's log-mel features: what Parakeet's encoder sees of a clip.

The numbers are those of NeMo's `AudioToMelSpectrogramPreprocessor` as Parakeet was trained with it: pre-emphasis 0.97,
a symmetric Hann window of 25 ms every 10 ms in the middle of 512 samples, mel filters in Slaney's scale and norm,
log(x + 2⁻²⁴), and each filter normalised over the clip.
"""

from __future__ import annotations

import math

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["HOP", "RATE", "LogMel"]

RATE = 16_000
HOP = 160
"""Samples from one frame to the next."""
WINDOW = 400
FFT = 512
EMPHASIS = np.float32(0.97)
FLOOR = np.float32(2.0**-24)
LEAST = np.float32(1e-5)
"""What NeMo adds to a deviation before it divides by it."""
CHUNK = 48
"""Frames that are computed at once: few enough to stay in the cache, and for each product with a band of filters to be
so small that OpenBLAS wakes none of its threads, which would spin for cores that others compute on."""
BANDS = 4
"""Into which the filters are put: each is zero but for its own part of the spectrum."""
SHORTEST = 2 * HOP
"""Samples that a clip is padded to: two frames, the fewest that deviate from their mean."""


def _filters(mels: int) -> NDArray[np.float32]:
    """Triangles on Slaney's mel scale, each of area 1 in hertz, from 0 to half the rate: float32 [257, mels].

    As in Slaney's Auditory Toolbox: up to 1 kHz linear, 200/3 Hz a mel; above it 27 mels for each 6.4-fold.
    """
    step, knee = math.log(6.4) / 27, 15.0
    highest = knee + math.log(RATE / 2 / 1000) / step
    scale = np.linspace(0.0, highest, mels + 2)
    edges = np.where(scale < knee, scale * 200 / 3, 1000 * np.exp(step * (scale - knee)))
    bins = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = np.maximum(0.0, np.minimum(rising, falling)) * 2 / (edges[2:] - edges[:-2])
    filters: NDArray[np.float32] = weights.astype(np.float32)
    return filters


def _window() -> NDArray[np.float32]:
    side = (FFT - WINDOW) // 2
    return np.pad(np.hanning(WINDOW), (side, side)).astype(np.float32)


@attrs.frozen(eq=False)
class _Band:
    """Neighbouring filters, and the part of the spectrum that passes them."""

    bins: slice
    mels: slice
    filters: NDArray[np.float32]
    """[bins, mels]."""


def _bands(filters: NDArray[np.float32]) -> list[_Band]:
    found = []
    for columns in np.array_split(np.arange(filters.shape[1]), BANDS):
        mels = slice(int(columns[0]), int(columns[-1]) + 1)
        rows = np.flatnonzero(filters[:, mels].any(axis=1))
        bins = slice(int(rows[0]), int(rows[-1]) + 1)
        found.append(_Band(bins, mels, np.ascontiguousarray(filters[bins, mels])))
    return found


@attrs.define(eq=False)
class LogMel:
    """Computes the features of clips. Can be used from several threads."""

    mels: int = 128
    _window: NDArray[np.float32] = attrs.field(init=False, factory=_window)
    _bands: list[_Band] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._bands = _bands(_filters(self.mels))

    def __call__(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The features of a clip of float32 [n] at 16 kHz: float32 [mels, n // 160], but at least two frames.

        NeMo pads with half a window of zeros on either side, so it makes one frame more, and then masks it out.
        """
        if len(samples) < SHORTEST:
            samples = np.pad(samples, (0, SHORTEST - len(samples)))
        logs = self.logs(samples)
        logs -= logs.mean(axis=0, dtype=np.float64).astype(np.float32)
        deviation = np.sqrt((logs**2).sum(axis=0) / np.float32(len(logs) - 1))
        return np.ascontiguousarray((logs / (deviation + LEAST)).T)

    def logs(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The same before it is normalised: float32 [n // 160, mels]."""
        logs: NDArray[np.float32] = np.log(self._energies(_emphasised(samples), len(samples) // HOP) + FLOOR)
        return logs

    def _energies(self, padded: NDArray[np.float32], count: int) -> NDArray[np.float32]:
        """What passes each filter in each frame: float32 [count, mels]."""
        energies = np.empty((count, self.mels), np.float32)
        frames = np.lib.stride_tricks.sliding_window_view(padded, FFT)[: count * HOP : HOP]
        for start in range(0, count, CHUNK):
            # numpy's transform of float64 is exacter than the one of float32, and five times as fast
            spectrum = np.fft.rfft(np.multiply(frames[start : start + CHUNK], self._window, dtype=np.float64))
            power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
            for band in self._bands:
                energies[start : start + CHUNK, band.mels] = power[:, band.bins] @ band.filters
        return energies


def _emphasised(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The clip without most of its bass, between half a window of zeros on either side."""
    padded = np.zeros(len(samples) + FFT, np.float32)
    inside = padded[FFT // 2 : -FFT // 2]
    inside[0] = samples[0]
    np.subtract(samples[1:], EMPHASIS * samples[:-1], out=inside[1:])
    return padded
