"""How many tokens of prompts fit into a step of a given length, learned from the steps there were."""

from __future__ import annotations

import attrs

__all__ = ["Pace"]

SMALLEST = 64
"""Tokens. A step that reads fewer does not use the hardware's width: llama.cpp's attention on a CPU, for one, works on
blocks of so many."""


@attrs.define
class Pace:
    """What a step takes, in seconds: so much for each token of a prompt, so much for each answer that goes on.

    Moving averages, unknown at first. The two differ: an answer's next token takes scores of the whole vocabulary.
    """

    reading: float | None = None
    answering: float | None = None

    def record(self, read: int, answered: int, seconds: float) -> None:
        """Learn from a step that read so many tokens and continued so many answers, if it tells anything."""
        if seconds <= 0:
            return
        if read >= SMALLEST:
            rest = max(seconds - (self.answering or 0.0) * answered, 0.2 * seconds)
            self.reading = _averaged(self.reading, rest / read)
        elif read == 0 and answered:
            self.answering = _averaged(self.answering, seconds / answered)

    def budget(self, seconds: float, answered: int, most: int) -> int:
        """The tokens that a step of `seconds` can read beside so many answers; enough to be worth a step, at most
        `most`."""
        if self.reading is None:
            return most
        left = seconds - (self.answering or 0.0) * answered
        return max(min(SMALLEST, most), min(most, int(left / self.reading)))


def _averaged(old: float | None, new: float) -> float:
    return new if old is None else 0.7 * old + 0.3 * new
