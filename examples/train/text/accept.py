"""Accept: the rule that says whether an answer is right."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Accept:
    """Every one of `words` occurs whole, and the last number said is `number`.

    A word may name alternatives (`"hello|hi"`) and may be a phrase. Case does not matter; a hyphen
    belongs to the word, so `c-a-t` is not found in `c-a-t-s`.
    """

    words: tuple[str, ...] = ()
    number: str | None = None

    def __call__(self, answer: str) -> bool:
        """Whether `answer` is right."""
        if self.number is not None and last_number(answer) != self.number:
            return False
        return all(any(says(answer, word) for word in each.split("|")) for each in self.words)


def says(answer: str, word: str) -> bool:
    """Whether `word` occurs in `answer` as a whole word or phrase, in any case."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", answer, re.IGNORECASE) is not None


def last_number(answer: str) -> str | None:
    """The last number written in digits, or none."""
    numbers = re.findall(r"(?<![\w.])-?\d+", answer)
    return numbers[-1] if numbers else None
