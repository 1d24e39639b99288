"""Byte-pair merges learned from the built-in words: which two pieces become one, in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from heapq import heappop, heappush
from itertools import chain, islice

import attrs

from sauropod.testing.models.words import WORDS

__all__ = ["Merge", "merges"]

_ALL = 4096
"""More merges than there are to learn: after them every built-in word is one piece."""

Merge = tuple[str, str]
"""The left and the right piece. A leading space belongs to the word that follows it."""


def merges(count: int) -> list[Merge]:
    """The first `count` merges: learned ones while there are any, then made-up compound words.

    Both sides of a merge are single characters or come from merges before it, and no two make the same piece.
    Raises `ValueError` beyond some millions.
    """
    found = list(islice(_distinct(chain(_learned(min(1 << count.bit_length(), _ALL)), _compounds())), count))
    if len(found) < count:
        raise ValueError(f"There are only {len(found)} merges, not {count}. Ask for a smaller vocabulary.")
    return found


def _distinct(pairs: Iterator[Merge]) -> Iterator[Merge]:
    seen: set[str] = set()
    for left, right in pairs:
        if left + right not in seen:
            seen.add(left + right)
            yield left, right


@attrs.define(eq=False)
class _Word:
    """A word as the pieces it is made of so far. `weight` follows Zipf's law."""

    pieces: list[str]
    weight: int

    def pairs(self) -> Iterator[Merge]:
        return zip(self.pieces, self.pieces[1:], strict=False)

    def join(self, pair: Merge) -> None:
        joined, place = [], 0
        while place < len(self.pieces):
            width = 2 if tuple(self.pieces[place : place + 2]) == pair else 1
            joined.append("".join(self.pieces[place : place + width]))
            place += width
        self.pieces = joined


@attrs.define
class _Corpus:
    """Words, and how much weight each pair of neighbouring pieces has in them."""

    weights: Counter[Merge] = attrs.field(factory=Counter)
    holders: defaultdict[Merge, list[_Word]] = attrs.field(factory=lambda: defaultdict(list))
    heap: list[tuple[int, Merge]] = attrs.field(factory=list)
    """Pairs by weight, negative. Every weight a pair has had is in it."""

    def add(self, words: Iterable[_Word]) -> None:
        pairs: set[Merge] = set()
        for word in words:
            for pair in set(word.pairs()):
                self.weights[pair] += word.weight
                self.holders[pair].append(word)
                pairs.add(pair)
        self._weigh(pairs)

    def best(self) -> Merge | None:
        while self.heap:
            weight, pair = heappop(self.heap)
            if weight and -weight == self.weights[pair]:
                return pair
        return None

    def merge(self, pair: Merge) -> None:
        words = dict.fromkeys(self.holders.pop(pair))
        pairs: set[Merge] = set()
        for word in words:
            for old in set(word.pairs()):
                self.weights[old] -= word.weight
                pairs.add(old)
            word.join(pair)
        self._weigh(pairs)
        self.add(words)

    def _weigh(self, pairs: Iterable[Merge]) -> None:
        for pair in pairs:
            heappush(self.heap, (-self.weights[pair], pair))


@cache
def _learned(count: int) -> tuple[Merge, ...]:
    """Byte-pair encoding (Sennrich et al., 2016) of the most common words, twice as many as merges are asked for."""
    corpus = _Corpus()
    corpus.add(_Word(list(f" {text}"), 100_000 // (rank + 10)) for rank, text in enumerate(WORDS[: 2 * count]))
    learned: list[Merge] = []
    while len(learned) < count and (best := corpus.best()):
        learned.append(best)
        corpus.merge(best)
    return tuple(learned)


def _compounds() -> Iterator[Merge]:
    """Words with endings, then words with words: none is likely, so they change no common text."""
    learned = ["".join(pair) for pair in _learned(_ALL)]
    heads = [piece for piece in learned if piece.startswith(" ") and len(piece) > 3]
    tails = [*"sdyrn", *(piece for piece in learned if not piece.startswith(" "))]
    yield from ((head, tail) for tail in tails for head in heads)
