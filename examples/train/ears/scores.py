"""Score: how many words were heard wrongly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .sentences import plain


@dataclass(frozen=True)
class Score:
    """Words said wrongly, out of how many, and sentences heard exactly, case and punctuation included."""

    wrong: int
    words: int
    exact: int
    count: int

    @property
    def rate(self) -> float:
        """The word error rate."""
        return self.wrong / max(1, self.words)


def score(pairs: Iterable[tuple[str, str]]) -> Score:
    """Of what was said and what was heard."""
    wrong = words = exact = count = 0
    for said, heard in pairs:
        wrong += distance(plain(said).split(), plain(heard).split())
        words += len(plain(said).split())
        exact += said == heard
        count += 1
    return Score(wrong, words, exact, count)


def distance(said: Sequence[str], heard: Sequence[str]) -> int:
    """The fewest words to put in, leave out or exchange (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for at, word in enumerate(said, 1):
        last, row[0] = row[0], at
        for place, other in enumerate(heard, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (word != other))
    return row[-1]
