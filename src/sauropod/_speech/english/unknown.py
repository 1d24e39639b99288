"""Unknown: words that nobody listed, said all the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from sauropod._speech.english.alphabet import ACCENTS, LONGEST
from sauropod._speech.english.letters import Letters
from sauropod._speech.english.lexicon import Lexicon
from sauropod._speech.english.sounds import PRIMARY, SECONDARY, at_least_secondary, emphasized, weakened

__all__ = ["Unknown"]

VOWEL = re.compile(r"[aeiouy]")
ABBREVIATED = 5
"""Capitals up to this many are spelled."""
SHORTEST = 4
"""Letters of either word of a compound."""
MOST = 200
"""New words of a text that the network says; it takes two milliseconds for each. Those after them are spelled."""


class Unknown:
    """Says any letters in one accent."""

    def __init__(self, lexicon: Lexicon, letters: Callable[[], Letters]) -> None:
        self.lexicon = lexicon
        self._letters = letters
        self._network = lru_cache(maxsize=1 << 12)(self._asked)
        self._left = MOST

    def begin(self) -> None:
        """A new text."""
        self._left = MOST

    def say(self, word: str) -> str:
        """Letters from A to Z in either case; anything among them is passed over."""
        plain = "".join(letter for letter in word if letter.isascii() and letter.isalpha())
        if not plain:
            return ""
        lower = plain.lower()
        abbreviated = plain.isupper() and len(plain) <= ABBREVIATED
        if abbreviated or not VOWEL.search(lower) or len(lower) < 2:
            return self.lexicon.spell(plain) or ""
        said = self._compound(lower) or self._read(lower) or self.lexicon.spell(plain) or ""
        return emphasized(said) if plain.isupper() else at_least_secondary(said)

    def _compound(self, word: str) -> str | None:
        """Two words in one, as the dictionary has them: the second is said with less stress."""
        if not 2 * SHORTEST <= len(word) <= LONGEST:
            return None
        for at in range(len(word) - SHORTEST, SHORTEST - 1, -1):
            first, second = self.lexicon.find(word[:at]), self.lexicon.find(word[at:])
            if first and second and first.gold and second.gold:
                return first.phonemes + weakened(second.phonemes)
        return None

    def _read(self, word: str) -> str:
        """By the network, long words in pieces; "" if it was asked enough in this text."""
        pieces = [word[at : at + LONGEST] for at in range(0, len(word), LONGEST)]
        self._left -= len(pieces)
        if self._left < 0:
            return ""
        return "".join(self._network(piece) for piece in pieces)

    def _asked(self, piece: str) -> str:
        return _stressed(self._letters().say(piece, ACCENTS[self.lexicon.british]))


def _stressed(said: str) -> str:
    """With one primary stress: the network may write none, or two."""
    first = said.find(PRIMARY)
    if first < 0:
        return emphasized(said)
    return said[: first + 1] + said[first + 1 :].replace(PRIMARY, SECONDARY)
