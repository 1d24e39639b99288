"""Scenes: speech in rooms, at any loudness, among noise; and noise alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .labels import FRAME
from .noises import KINDS, RATE, Samples
from .record import Clip

HARD = ("music", "tones", "fan", "rain", "babble")
"""Noises that are drawn twice as often: they are most like speech."""


@dataclass(frozen=True)
class Scene:
    """What a microphone hears, float32 [n] within ±1, and which frames are speech, bool [n / 320]."""

    samples: Samples
    speech: NDArray[np.bool_]
    kind: str


@dataclass(frozen=True)
class Material:
    """Speech, and noises of each kind, float32 [n] of power 1: drawing them afresh for each scene takes too long."""

    clips: Sequence[Clip]
    noises: Mapping[str, Sequence[Samples]]


def material(random: np.random.Generator, clips: Sequence[Clip], each: int, seconds: int = 6) -> Material:
    """`each` noises of every kind."""
    count = seconds * RATE
    noises = {kind: [draw(random, count) for _ in range(each)] for kind, draw in KINDS.items()}
    noises["babble"] = [babble(random, clips, count) for _ in range(each)]
    return Material(clips, noises)


def scene(random: np.random.Generator, given: Material, frames: int, *, speech: float = 0.68) -> Scene:
    """A scene of so many frames; with probability `speech` somebody speaks in it."""
    count = frames * FRAME
    level = 10 ** (random.uniform(-40, 0) / 20)
    kind = "silence" if random.random() < 0.12 else str(random.choice([*given.noises, *HARD]))
    noise = _silence(random, count) if kind == "silence" else _part(random, given.noises[kind], count)
    if random.random() >= speech:
        quiet = 1.0 if kind == "silence" else level / max(1.0, float(np.abs(noise).max()))
        return Scene(_heard(random, noise * np.float32(quiet)), np.zeros(frames, np.bool_), kind)
    voice, labels = _speaking(random, given.clips, frames)
    if kind != "silence":
        loud = np.sqrt(np.mean(voice[np.repeat(labels, FRAME)] ** 2) + 1e-12) if labels.any() else 0.1
        ratio = random.uniform(8 if kind in ("music", "babble") else 3, 45)
        noise = noise * np.float32(loud * 10 ** (-ratio / 20))
    mixed = voice + noise
    mixed *= level / max(np.abs(mixed).max(), 1e-6)
    return Scene(_heard(random, mixed), labels, kind)


def babble(random: np.random.Generator, clips: Sequence[Clip], count: int) -> Samples:
    """Six to fifteen voices at once, none of which can be followed."""
    mixed = np.zeros(count, np.float32)
    for _ in range(random.integers(6, 16)):
        at = 0
        while at < count:
            part = clips[int(random.integers(len(clips)))].samples[: count - at]
            mixed[at : at + len(part)] += part * np.float32(random.uniform(0.5, 1))
            at += len(part)
    scaled: Samples = mixed / np.sqrt(np.mean(mixed**2) + 1e-12)
    return scaled


def reverberant(random: np.random.Generator, samples: Samples) -> Samples:
    """In a room: the direct sound, and a decaying tail of echoes that begins a few milliseconds later."""
    seconds = random.uniform(0.08, 0.5)
    tail = random.standard_normal(int(seconds * RATE)) * np.exp(-np.linspace(0, 6.9, int(seconds * RATE)))
    tail[: int(random.uniform(0.002, 0.012) * RATE)] = 0
    tail *= random.uniform(0.05, 0.7) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    size = len(samples) + RATE // 2  # of small factors, so that the transform is fast
    echoes = np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(tail, size), size)
    return echoes[: len(samples)].astype(np.float32)


def _speaking(random: np.random.Generator, clips: Sequence[Clip], frames: int) -> tuple[Samples, NDArray[np.bool_]]:
    """One utterance after the other, with pauses."""
    voice, labels = np.zeros(frames * FRAME, np.float32), np.zeros(frames, np.bool_)
    at = -int(random.integers(0, 100)) if random.random() < 0.3 else int(random.integers(0, frames // 2))
    while at < frames:
        clip = clips[int(random.integers(len(clips)))]
        begin = max(0, -at)
        room = min(len(clip.speech) - begin, frames - max(at, 0))
        if room > 0:
            where = max(at, 0)
            loudness = np.float32(random.uniform(0.4, 1))
            voice[where * FRAME : (where + room) * FRAME] += (
                loudness * clip.samples[begin * FRAME : (begin + room) * FRAME]
            )
            labels[where : where + room] |= clip.speech[begin : begin + room]
        at += len(clip.speech) + int(random.integers(8, 90))
    return (reverberant(random, voice) if random.random() < 0.5 else voice), labels


def _part(random: np.random.Generator, noises: Sequence[Samples], count: int) -> Samples:
    """A stretch of one of them; now and then of two."""
    chosen = noises[int(random.integers(len(noises)))]
    at = int(random.integers(0, len(chosen) - count + 1))
    part: Samples = chosen[at : at + count]
    return part + _part(random, noises, count) if random.random() < 0.2 else part


def _silence(random: np.random.Generator, count: int) -> Samples:
    """Nothing, or next to nothing."""
    if random.random() < 0.4:
        return np.zeros(count, np.float32)
    return (random.standard_normal(count) * 10 ** (random.uniform(-95, -60) / 20)).astype(np.float32)


def _heard(random: np.random.Generator, samples: Samples) -> Samples:
    """Through a microphone or a telephone: coloured, cut off, rounded to 16 bits."""
    if random.random() < 0.5:
        hertz = np.maximum(np.fft.rfftfreq(len(samples), 1 / RATE), 50.0)
        gain = (hertz / 1000) ** random.uniform(-0.4, 0.4)
        if random.random() < 0.3:
            gain = (
                gain / (1 + (random.uniform(80, 300) / hertz) ** 4) / (1 + (hertz / random.uniform(3300, 7000)) ** 12)
            )
        peak = np.abs(samples).max()
        samples = np.fft.irfft(np.fft.rfft(samples) * gain, len(samples)).astype(np.float32)
        samples *= peak / max(np.abs(samples).max(), 1e-9)
    if random.random() < 0.8:
        samples = np.round(samples * 32767) / np.float32(32767)
    return np.clip(samples, -1, 1).astype(np.float32)
