"""Batches: conversations as rows of token ids, and which of them are learned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from .tokenizer import id_of

Ids = NDArray[np.int64]
Weights = NDArray[np.float32]


@dataclass(frozen=True)
class Row:
    """Conversations as (places,) or (rows, places): tokens, the tokens that follow, and how much each counts."""

    tokens: Ids
    targets: Ids
    weights: Weights


class Encoder:
    """Turns rendered conversations into rows: the assistant's tokens count 1, the others `reading`."""

    def __init__(self, tokenizer: Tokenizer, context: int, reading: float) -> None:
        self.tokenizer = tokenizer
        self.context = context
        self.reading = reading
        self.end = id_of(tokenizer, "<|im_end|>")
        self.opening = tokenizer.encode("<|im_start|>assistant\n").ids

    def rows(self, texts: Iterable[str]) -> Iterator[Row]:
        """A row for every text that fits the context."""
        for text in texts:
            ids = self.tokenizer.encode(text).ids
            if len(ids) <= self.context + 1:
                yield self.row(ids)

    def row(self, ids: Sequence[int]) -> Row:
        """The row of these tokens."""
        weights = np.full(len(ids), self.reading, dtype=np.float32)
        for start in range(len(ids)):
            if ids[start : start + len(self.opening)] == self.opening:
                first = start + len(self.opening)
                weights[first : ids.index(self.end, first) + 1] = 1
        tokens = np.asarray(ids, dtype=np.int64)
        return Row(tokens[:-1], tokens[1:], weights[1:])


def grouped(rows: Iterable[Row], budget: int) -> Iterator[Row]:
    """Rows of like length padded to one, each of at most `budget` places.

    Padding is at the end, where causal attention never looks from a learned place.
    """
    group: list[Row] = []
    for row in sorted(rows, key=lambda each: len(each.tokens)):
        if group and (len(group) + 1) * len(row.tokens) > budget:
            yield _padded(group)
            group = []
        group.append(row)
    if group:
        yield _padded(group)


def _padded(rows: Sequence[Row]) -> Row:
    shape = len(rows), max(len(row.tokens) for row in rows)
    padded = Row(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32))
    for at, row in enumerate(rows):
        padded.tokens[at, : len(row.tokens)] = row.tokens
        padded.targets[at, : len(row.tokens)] = row.targets
        padded.weights[at, : len(row.tokens)] = row.weights
    return padded
