"""Partial transcripts from a recogniser that only hears whole clips: what two runs agree on stays.

Pure. The recogniser is run again and again on what has been said so far of an utterance. The longest common prefix of
two runs, in words, is stable: it is not taken back, whatever later runs say. The last word of a run never is, for it
may be half a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

import attrs

__all__ = ["Partials"]


@attrs.define
class Partials:
    """One utterance as it becomes known."""

    _stable: list[str] = attrs.field(factory=list)
    _before: Sequence[str] = ()

    def feed(self, text: str) -> tuple[str, str]:
        """Take in another run's text. What is stable, and what came after it this time."""
        words = text.split()
        agreed = [
            word for word, _ in takewhile(lambda pair: pair[0] == pair[1], zip(words, self._before, strict=False))
        ]
        agreed = agreed[: max(0, len(words) - 1)]
        if len(agreed) > len(self._stable) and agreed[: len(self._stable)] == self._stable:
            self._stable = agreed
        self._before = words
        return " ".join(self._stable), " ".join(words[len(self._stable) :])
