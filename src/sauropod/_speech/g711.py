"""G.711: telephone audio, eight bits a sample (ITU-T G.711, 11/88), and the 16-bit samples it stands for."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Law", "decode", "encode", "from_int16", "to_int16"]

Law: TypeAlias = Literal["mulaw", "alaw"]
"""µ-law is used in North America and Japan, A-law everywhere else."""

FLIPPED = {"mulaw": 0xFF, "alaw": 0x55}
"""Bits that are sent inverted, so that silence is no run of zeros on the line."""


def decode(data: bytes | bytearray | memoryview, law: Law) -> NDArray[np.float32]:
    """One float32 sample in (-1, 1) for each byte."""
    import numpy as np

    return from_int16(_meanings(law)[np.frombuffer(data, np.uint8)])


def encode(samples: NDArray[np.float32], law: Law) -> bytes:
    """One byte for each float32 sample [n]: the code that stands for what is nearest. Beyond ±1 it is clipped."""
    import numpy as np

    codes: bytes = _codes(law)[to_int16(samples).view(np.uint16)].tobytes()
    return codes


def to_int16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Samples in [-1, 1] as 16-bit integers: clipped, never wrapped, and rounded to the nearest on both sides of zero.

    `to_int16(from_int16(x))` is x for every 16-bit x.
    """
    import numpy as np

    scaled = np.asarray(samples, np.float32) * np.float32(32768)
    integers: NDArray[np.int16] = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    return integers


def from_int16(samples: NDArray[np.int16]) -> NDArray[np.float32]:
    """16-bit integers as float32 samples in [-1, 1)."""
    import numpy as np

    return samples.astype(np.float32) / np.float32(32768)


@lru_cache(maxsize=2)
def _meanings(law: Law) -> NDArray[np.int16]:
    """What each of the 256 codes stands for, as a 16-bit sample.

    A code is a sign, three bits of a segment and four of a step within it. In both laws each segment's steps are twice
    as large as those of the one below, save A-law's lowest two, whose steps are equal.
    """
    import numpy as np

    if law not in FLIPPED:
        raise UnsupportedInput(f"law must be 'mulaw' or 'alaw'; got {law!r}.")
    code = np.arange(256) ^ FLIPPED[law]
    segment, step = code >> 4 & 7, code & 15
    if law == "mulaw":  # 14 bits in the standard's tables 2a and 2b, so times 4 here
        size = -4 * (((2 * step + 33) << segment) - 33)
    else:  # 13 bits in tables 1a and 1b
        size = 8 * ((2 * step + 1 + 32 * (segment > 0)) << np.maximum(segment - 1, 0))
    meanings: NDArray[np.int16] = np.where(code & 0x80, size, -size).astype(np.int16)
    return meanings


@lru_cache(maxsize=2)
def _codes(law: Law) -> NDArray[np.uint8]:
    """The code of each 16-bit sample, by the sample's bits as an unsigned number.

    What lies between two of the standard's decision values has one code. What lies on one goes to the larger
    magnitude, for both signs: nothing is moved to one side.
    """
    import numpy as np

    sample = np.arange(1 << 16, dtype=np.uint16).view(np.int16).astype(np.int64)
    sign = np.where(sample < 0, 0x80, 0) if law == "mulaw" else np.where(sample < 0, 0, 0x80)
    if law == "mulaw":
        size = np.minimum(
            np.abs(sample) + 132, 32767
        )  # the standard's 33, in 16 bits, makes every segment a power of two
        segment = _highest_bit(size) - 7
        step = size >> (segment + 3) & 15
    else:
        size = np.minimum(np.abs(sample), 32767)
        segment = np.maximum(_highest_bit(size | 1) - 7, 0)
        step = size >> (np.maximum(segment, 1) + 3) & 15
    codes: NDArray[np.uint8] = ((sign | segment << 4 | step) ^ FLIPPED[law]).astype(np.uint8)
    return codes


def _highest_bit(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """The place of the highest bit that is set, counted from 0, of positive integers below 2^15."""
    import numpy as np

    return np.frexp(numbers.astype(np.float64))[1].astype(np.int64) - 1
