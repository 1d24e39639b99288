"""Words: what the letter-to-sound network learns from, and those held back."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path

from sauropod._speech.english.alphabet import ACCENTS, LETTERS, LONGEST, SAID

from .wordlists import names, read

HELD_BACK = 2000
PLACES = 2
"""The network's outputs for each letter."""


@dataclass(frozen=True)
class Word:
    """How a word is said in one accent."""

    letters: str
    accent: int
    phonemes: str

    @property
    def ids(self) -> list[int]:
        """The phonemes as places of `SAID`."""
        return [SAID.index(symbol) for symbol in self.phonemes]


def learnable(word: Word) -> bool:
    """Whether it is a plain word that the network's outputs have room for. Names count, abbreviations do not."""
    plain = 2 <= len(word.letters) <= LONGEST and set(word.letters) <= set(LETTERS)
    doubled = sum(one == next_ for one, next_ in zip(word.phonemes, word.phonemes[1:], strict=False))
    return plain and 0 < len(word.phonemes) + doubled <= PLACES * len(word.letters)


def drawn(sources: Path, seed: int) -> tuple[list[Word], list[Word]]:
    """Words to learn from, and `HELD_BACK` spellings in both accents that are not among them."""
    words: dict[tuple[str, int], Word] = {}
    for accent, name in enumerate(ACCENTS):
        for written, entry in read(sources, name).items():
            if written[1:].islower():
                word = Word(written.lower(), accent, entry.phonemes)
                if learnable(word):
                    words.setdefault((word.letters, accent), word)
    spellings = sorted({letters for letters, _ in words})
    held = set(random.Random(seed).sample(spellings, HELD_BACK))
    for written, entry in names(sources).items():
        word = Word(written, 0, entry.phonemes)
        if learnable(word):
            words.setdefault((written, 0), word)
    return (
        [word for word in words.values() if word.letters not in held],
        [word for word in words.values() if word.letters in held],
    )
