"""Batches: examples of one length after another, with all that the network is told of each frame."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .features import Example, Ids
from .flite import Floats


@dataclass(frozen=True)
class Batch:
    """Padded rows: `ids`, `lasting`, `mask` (rows, n); `owner`, `start`, `length` (rows, frames); `target`.

    `lasting` counts frames; `target` is (rows, frames, WIDTH); `voice` (rows) numbers the speakers.
    """

    ids: Tensor
    lasting: Tensor
    mask: Tensor
    owner: Tensor
    start: Tensor
    length: Tensor
    target: Tensor
    voice: Tensor


def joined(first: Example, second: Example) -> Example:
    """Two utterances as one text: a space takes the pad's silence between them."""
    space = np.array([16])
    gap = np.array([first.frames[-1] + second.frames[0]])
    return Example(
        np.concatenate([first.ids[:-1], space, second.ids[1:]]),
        np.concatenate([first.frames[:-1], gap, second.frames[1:]]),
        np.concatenate([first.rows, second.rows]),
    )


def stretched(example: Example, speed: float) -> Example:
    """The example spoken at another speed: every frame is one that there was."""
    ends = np.round(example.frames.cumsum() / speed).astype(np.int64)
    frames = np.diff(ends, prepend=0)
    source = ((np.arange(ends[-1]) + 0.5) * speed).astype(np.int64).clip(0, len(example.rows) - 1)
    return Example(example.ids, frames, example.rows[source])


def batched(examples: Sequence[tuple[int, Example]], size: int, rng: random.Random) -> Iterator[Batch]:
    """Endless batches of about `size` frames; voices are numbers. Examples of like lengths are together."""
    while True:
        pool = [_varied(voice, example, examples, rng) for voice, example in rng.sample(examples, len(examples))]
        pool.sort(key=lambda pair: len(pair[1].rows))
        groups: list[list[tuple[int, Example]]] = [[]]
        for pair in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(pair[1].rows) > size:
                groups.append([])
            groups[-1].append(pair)
        rng.shuffle(groups)
        yield from map(collated, groups)


def packed(examples: Sequence[tuple[int, Example]]) -> dict[str, NDArray[Any]]:
    """Examples as a few arrays, to be kept in a file; half floats are enough."""
    return {
        "voices": np.array([voice for voice, _ in examples]),
        "symbols": np.array([len(each.ids) for _, each in examples]),
        "ids": np.concatenate([each.ids for _, each in examples]),
        "frames": np.concatenate([each.frames for _, each in examples]),
        "rows": np.concatenate([each.rows.astype(np.float16) for _, each in examples]),
    }


def unpacked(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[int, Example]]:
    """The examples of those arrays."""
    ends = arrays["symbols"].cumsum()[:-1]
    ids, frames = np.split(arrays["ids"], ends), np.split(arrays["frames"], ends)
    rows = np.split(arrays["rows"].astype(np.float32), np.cumsum([each.sum() for each in frames])[:-1])
    voices = arrays["voices"].tolist()
    return [(voice, Example(*parts)) for voice, *parts in zip(voices, ids, frames, rows, strict=True)]


def _varied(
    voice: int, example: Example, examples: Sequence[tuple[int, Example]], rng: random.Random
) -> tuple[int, Example]:
    """Now and then two utterances as one, or another speed."""
    if rng.random() < 0.2:
        other, second = rng.choice(examples)
        if other == voice:
            example = joined(example, second)
    if rng.random() < 0.15:
        example = stretched(example, 2 ** rng.uniform(-1, 1))
    return voice, example


def collated(pairs: Sequence[tuple[int, Example]]) -> Batch:
    """One batch, padded at the ends."""
    symbols = max(len(example.ids) for _, example in pairs)
    frames = max(len(example.rows) for _, example in pairs)
    frames += frames % 2
    shape, width = (len(pairs), frames), pairs[0][1].rows.shape[1]
    ids, lasting = np.zeros((len(pairs), symbols), np.int64), np.zeros((len(pairs), symbols), np.int64)
    mask = np.zeros((len(pairs), symbols), np.float32)
    owner, start, length = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    target: Floats = np.zeros((*shape, width), np.float32)
    for row, (_, example) in enumerate(pairs):
        count, total = len(example.ids), len(example.rows)
        ids[row, :count], lasting[row, :count], mask[row, :count] = example.ids, example.frames, 1
        owner[row, :total], start[row, :total], length[row, :total] = _frames(example.frames)
        target[row, :total] = example.rows
    voice = np.array([voice for voice, _ in pairs])
    return Batch(*map(torch.from_numpy, (ids, lasting, mask, owner, start, length, target, voice)))


def _frames(lasting: Ids) -> tuple[Ids, Ids, Ids]:
    """Of every frame: whose it is, how many of its symbol's come before it, how many its symbol has."""
    owner = np.repeat(np.arange(len(lasting)), lasting)
    starts = lasting.cumsum() - lasting
    return owner, np.arange(len(owner)) - starts[owner], lasting[owner]
