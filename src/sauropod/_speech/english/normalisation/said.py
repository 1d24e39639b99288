"""Said: a word or a mark to be said, and the stretch of the text it stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import TypeAlias

import attrs

__all__ = ["Found", "Kind", "Line", "Rule", "Said", "Tone", "said_as"]


class Kind(Enum):
    """What is to be done with it."""

    WORD = "word"
    LETTERS = "letters"
    """Said letter by letter."""
    MARK = "mark"
    """Punctuation that is heard."""
    SILENT = "silent"
    """Nothing is said."""


class Tone(Enum):
    """How a word is said beside its neighbours."""

    PLAIN = "plain"
    WEAK = "weak"
    """Without any stress, as "point" in numbers."""


@attrs.frozen
class Said:
    """A word, letters or a mark."""

    text: str
    start: int
    end: int
    kind: Kind = Kind.WORD
    tone: Tone = Tone.PLAIN


@attrs.frozen
class Line:
    """A text to be read; `plain` in characters that rules know."""

    plain: str
    british: bool


@attrs.frozen
class Found:
    """What a rule read, and where it stopped."""

    said: Sequence[Said]
    end: int


Rule: TypeAlias = Callable[[Line, int], Found | None]
"""Reads what begins at a place, or nothing. Takes time in what it reads, not in what comes after."""


def said_as(words: str, start: int, end: int) -> list[Said]:
    """Words that together stand for one stretch."""
    tones = {"point": Tone.WEAK}
    return [Said(word, start, end, tone=tones.get(word, Tone.PLAIN)) for word in words.split()]
