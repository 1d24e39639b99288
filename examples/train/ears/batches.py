"""Batch: clips of like length side by side, partly hidden (SpecAugment, Park et al. 2019, arXiv 1904.08779)."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .clips import Clip


@dataclass(frozen=True)
class Batch:
    """float [B, 128, T] and int64 [B] frames; int64 [B, U] pieces and int64 [B] how many."""

    features: Tensor
    frames: Tensor
    targets: Tensor
    lengths: Tensor


def batched(clips: Sequence[Clip], ids: Callable[[str], list[int]], frames: int, rng: random.Random) -> Iterator[Batch]:
    """All clips once, in batches of about `frames` frames, those of like length together."""
    order = sorted(range(len(clips)), key=lambda at: clips[at].features.shape[1] * rng.uniform(0.9, 1.1))
    groups: list[list[int]] = [[]]
    for at in order:
        if (len(groups[-1]) + 1) * clips[at].features.shape[1] > frames:
            groups.append([])
        groups[-1].append(at)
    rng.shuffle(groups)
    numbers = np.random.default_rng(rng.getrandbits(32))
    for group in groups:
        if group:
            chosen = [clips[at] for at in group]
            yield made([hidden(clip.features, numbers) for clip in chosen], [ids(clip.text) for clip in chosen])


def made(features: Sequence[NDArray[np.float32]], targets: Sequence[list[int]]) -> Batch:
    """Padded with zeros."""
    frames = [each.shape[1] for each in features]
    lengths = [len(each) for each in targets]
    x = np.zeros((len(features), features[0].shape[0], max(frames)), np.float32)
    y = np.zeros((len(targets), max(1, *lengths)), np.int64)
    for row, (feature, target) in enumerate(zip(features, targets, strict=True)):
        x[row, :, : feature.shape[1]] = feature
        y[row, : len(target)] = target
    return Batch(torch.from_numpy(x), torch.tensor(frames), torch.from_numpy(y), torch.tensor(lengths))


def hidden(features: NDArray[np.float16], rng: np.random.Generator) -> NDArray[np.float32]:
    """A copy in which up to two bands of mels and up to two short spans of time are zero, the mean."""
    copy = features.astype(np.float32)
    for _ in range(rng.integers(0, 3)):
        size = int(rng.integers(0, 24))
        start = int(rng.integers(0, copy.shape[0] - size))
        copy[start : start + size] = 0
    for _ in range(rng.integers(0, 3)):
        size = int(rng.integers(0, 1 + min(16, copy.shape[1] // 10)))
        start = int(rng.integers(0, copy.shape[1] - size))
        copy[:, start : start + size] = 0
    return copy
