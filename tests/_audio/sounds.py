"""Sounds to be read and written, and WAV files made by hand, true and false."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

__all__ = ["chirp", "lag", "likeness", "noise", "wav"]

Samples = NDArray[np.float32]


def chirp(rate: int, seconds: float = 1.0) -> Samples:
    """A tone that rises from 200 to 1,400 Hz: no part of it is like another."""
    time = np.arange(round(rate * seconds)) / rate
    return (0.4 * np.sin(2 * np.pi * (200 * time + 600 * time**2 / seconds))).astype(np.float32)


def noise(count: int, seed: int = 0) -> Samples:
    return np.random.default_rng(seed).uniform(-0.5, 0.5, count).astype(np.float32)


def wav(
    samples: bytes, *, rate: int = 16_000, channels: int = 1, bits: int = 16, size: int | None = None, kind: int = 1
) -> bytes:
    """A WAV file of these bytes, and of whatever header."""
    size = len(samples) if size is None else size
    frame = channels * bits // 8
    form = struct.pack("<IHHIIHH", 16, kind, channels, rate, rate * frame & 0xFFFFFFFF, frame & 0xFFFF, bits)
    whole = min(36 + size, 0xFFFFFFFF)
    return b"RIFF" + struct.pack("<I", whole) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size) + samples


def pcm(samples: Samples) -> bytes:
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2").tobytes()


def _correlation(one: Samples, other: Samples) -> NDArray[np.float64]:
    size = 1 << (len(one) + len(other)).bit_length()
    product: NDArray[np.float64] = np.fft.irfft(np.fft.rfft(other, size) * np.conj(np.fft.rfft(one, size)), size)
    return product


def lag(one: Samples, other: Samples) -> int:
    """By how many samples `other` is later."""
    correlation = _correlation(one, other)
    at = int(correlation.argmax())
    return at if at < len(correlation) // 2 else at - len(correlation)


def likeness(one: Samples, other: Samples) -> float:
    """1 for the same sound, whatever its loudness and delay."""
    return float(_correlation(one, other).max() / (np.linalg.norm(one) * np.linalg.norm(other)))
