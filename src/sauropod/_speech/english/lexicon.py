"""Lexicon: how a written word is said, as far as the dictionary and the rules of endings can tell.

What is looked up in which order is as in misaki's `en.py`: what Kokoro learned to read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from typing import TypeAlias

from sauropod._speech.english.dictionary import Entry
from sauropod._speech.english.endings import ENDINGS, with_s
from sauropod._speech.english.sounds import PRIMARY, SECONDARY, at_least_secondary, emphasized, weakened
from sauropod._speech.english.special import Context, special

__all__ = ["Lexicon", "parts"]

PARTS = re.compile(r"-+|_+")
CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
TAGGED = frozenset({"used"})
"""Special words that are asked for their part of speech."""
SHORT = 4
"""Capitals that are rather an abbreviation than a name."""
PARENTS = {"VB": "VERB", "NN": "NOUN", "RB": "ADV", "JJ": "ADJ"}
"""Tags that words are listed under, by how a finer tag begins."""


Find: TypeAlias = Callable[[str], Entry | None]
"""What a list says of exactly this word."""


class Lexicon:
    """The words of one accent."""

    def __init__(self, listed: Find, borrowed: Find | None = None, *, british: bool) -> None:
        """`borrowed` is asked for words that are not `listed`: names, and words of the other accent."""
        self.british = british
        self._exactly = lru_cache(maxsize=1 << 14)(listed)
        self._borrowed = lru_cache(maxsize=1 << 12)(borrowed or _nothing)

    def say(self, word: str, tag: str | None, context: Context) -> str | None:
        """The word's phonemes, or None if it is not known. `tag` is a part of speech of the Penn Treebank."""
        if said := special(word, tag, context, self.british):
            return said
        plain = self._uncapitalized(word)
        said = self._known(plain, tag, context)
        if said is None and plain.endswith("'"):
            return self.say(word[:-1], tag, context)
        if said is None:
            said = self._ended(plain, tag, context)
        return None if said is None else self._capitalized(said, word)

    def spell(self, letters: str) -> str | None:
        """Letter by letter, the last one stressed. None if one is no letter from A to Z."""
        entries = [self._exactly(letter.upper()) for letter in letters]
        if not letters or None in entries:
            return None
        names = "".join(weakened(at_least_secondary(entry.phonemes)) for entry in entries if entry)
        return PRIMARY.join(names.rsplit(SECONDARY, 1))

    def varies(self, word: str) -> bool:
        """Whether its part of speech decides how it is said."""
        if word.lower() in TAGGED:
            return True
        entry = self.find(word) or self.find(word.lower())
        return entry is not None and not entry.tagged.keys() <= {"None"}

    def with_s(self, said: str) -> str | None:
        """In the plural, or owning something."""
        return with_s(said, self.british)

    def find(self, word: str, *, borrow: bool = True) -> Entry | None:
        """What the dictionary says of a word, which may also be listed with the other kind of first letter."""
        entry = self._listed(word)
        return self._borrowed(word.lower()) if entry is None and borrow and len(word) > 1 else entry

    def _listed(self, word: str) -> Entry | None:
        exact = self._exactly(word)
        if exact is not None and (exact.gold or len(word) < 2):
            return exact
        other = None
        if word.islower():
            other = self._exactly(word.capitalize())
        elif word == word.capitalize():
            other = self._exactly(word.lower())
        return other if other is not None and (other.gold or exact is None) and len(word) > 1 else exact

    def _known(self, word: str, tag: str | None, context: Context) -> str | None:
        """As listed; capitals that are not listed as small letters, or spelled."""
        entry, spelled = self.find(word), False
        if (entry is None or not entry.gold) and word.isupper() and len(word) > 1:
            entry, spelled = self.find(word.lower(), borrow=len(word) > SHORT), tag == "NNP"
            if entry is None or (spelled and (not entry.gold or PRIMARY not in entry.phonemes)):
                return None
        if entry is None:
            return None
        said = _chosen(entry, tag, context)
        return said if said else self.spell(word)

    def _ended(self, word: str, tag: str | None, context: Context) -> str | None:
        """A known stem and an ending."""
        for stems, ending in ENDINGS:
            for stem in stems(word):
                said = self._known(stem, tag, context)
                if said is not None:
                    return ending(said, self.british)
        return None

    def _uncapitalized(self, word: str) -> str:
        """In small letters, unless it is known with its capitals or is no word in capitals or with a capital first."""
        lower = word.lower()
        if word == lower or len(word) < 2 or not word.replace("'", "").isalpha() or self._exactly(word) is not None:
            return word
        if word[1:].islower():
            return lower
        return word

    def _capitalized(self, said: str, word: str) -> str:
        """Capitals are stressed: a first one a little, a word of them much."""
        if word == word.lower():
            return said
        return emphasized(said) if word.isupper() and len(word) > 1 else at_least_secondary(said)


def _nothing(word: str) -> Entry | None:
    return None


def _chosen(entry: Entry, tag: str | None, context: Context) -> str:
    """The way of several that fits."""
    tagged = entry.tagged
    if not tagged:
        return entry.phonemes
    if context.vowel is None and "None" in tagged:
        return tagged["None"]
    if tag is None:
        return entry.phonemes
    return tagged.get(tag, tagged.get(PARENTS.get(tag[:2], ""), entry.phonemes))


def parts(word: str) -> list[str]:
    """The words a compound is made of: at hyphens, and where a capital begins a new one, as in GitHub or OpenAI."""
    return [part for piece in PARTS.split(word) for part in CAMEL.split(piece) if part.strip("'")]
