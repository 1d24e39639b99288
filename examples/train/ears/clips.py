"""Clip: features of a sentence somebody said, and shards of a thousand clips on disk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Clip:
    """float16 [128, T] and what was said in them."""

    features: NDArray[np.float16]
    text: str
    speaker: str


def save(clips: Sequence[Clip], path: Path) -> None:
    """Write a shard, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    with unfinished.open("wb") as file:
        np.savez(
            file,
            frames=np.concatenate([clip.features.T for clip in clips]),
            lengths=np.array([clip.features.shape[1] for clip in clips]),
            texts=np.array([clip.text for clip in clips]),
            speakers=np.array([clip.speaker for clip in clips]),
        )
    unfinished.rename(path)


def load(path: Path) -> Iterator[Clip]:
    """The clips of a shard."""
    with np.load(path) as shard:
        frames, lengths, texts, speakers = (shard[name] for name in ("frames", "lengths", "texts", "speakers"))
    ends = np.cumsum(lengths)
    for start, end, text, speaker in zip(ends - lengths, ends, texts, speakers, strict=True):
        yield Clip(frames[start:end].T, str(text), str(speaker))
