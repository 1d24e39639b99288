"""Fades: pieces of sound put one after another so that no join is heard.

All samples are float32 [n], one channel. Lengths are in samples.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["blend", "faded", "loud_span"]

FRAME = 0.01
"""Seconds over which loudness is measured."""
QUIET = 10 ** (-50 / 20)
"""What is this far below the loudest frame is no speech: an unvoiced s or f lies around -35 dB."""
FLOOR = 10 ** (-70 / 20)
"""The same, below full scale: of what is all silence nothing is loud."""


def faded(samples: NDArray[np.float32], *, begin: int, end: int) -> NDArray[np.float32]:
    """A copy that rises from 0 within its first `begin` samples, and falls to 0 within its last `end`.

    Each is half of a raised cosine, so a step between two samples grows by no more than π/2 of the loudest sample over
    the length of the fade. Where both do not fit, they share what there is.
    """
    import numpy as np

    result = np.array(samples, np.float32)
    if begin + end > len(result):
        begin = len(result) * begin // (begin + end)
        end = len(result) - begin
    if begin:
        result[:begin] *= _rise(begin)
    if end:
        result[len(result) - end :] *= _rise(end)[::-1]
    return result


def blend(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float32]:
    """From one of two equally long pieces to the other. Where they are the same, that is what comes out."""
    rise = _rise(len(after))
    mixed: NDArray[np.float32] = before + (after - before) * rise
    return mixed


def loud_span(samples: NDArray[np.float32], rate: int) -> tuple[int, int]:
    """The first sample that is not silence and the one after the last, within a frame of 10 ms; (0, 0) for silence."""
    import numpy as np

    frame = max(1, round(FRAME * rate))
    count = -(-len(samples) // frame)
    if not count:
        return 0, 0
    padded = np.zeros(count * frame, np.float32)
    padded[: len(samples)] = samples
    loudness = np.sqrt(np.mean(np.square(padded.reshape(count, frame)), axis=1))
    loud = np.flatnonzero(loudness > max(FLOOR, QUIET * float(loudness.max())))
    if not len(loud):
        return 0, 0
    return int(loud[0]) * frame, min(len(samples), (int(loud[-1]) + 1) * frame)


def _rise(length: int) -> NDArray[np.float32]:
    """From above 0 to below 1: float32 [length]."""
    import numpy as np

    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(1, length))).astype(np.float32)
