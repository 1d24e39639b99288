"""Endings: how -s, -ed and -ing are said after a stem, and which stems a written word may have.

What is said after what is as in misaki's `en.py` and https://en.wiktionary.org/wiki/-s, -ed and -ing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

__all__ = ["ENDINGS", "Ending", "with_s"]

FLAPPING = frozenset("AIOWYiuæɑəɛɪɹʊʌ")
"""What a t is flapped after, in American English."""
DOUBLED = frozenset("bcdgklmnprstvxz")


def with_s(stem: str, british: bool) -> str | None:
    """Plurals, possessives, third persons."""
    if not stem:
        return None
    if stem[-1] in "ptkfθ":
        return stem + "s"
    if stem[-1] in "szʃʒʧʤ":
        return stem + ("ɪz" if british else "ᵻz")
    return stem + "z"


def with_ed(stem: str, british: bool) -> str | None:
    """Past forms."""
    if not stem:
        return None
    if stem[-1] in "pkfθʃsʧ":
        return stem + "t"
    if stem[-1] == "d":
        return stem + ("ɪd" if british else "ᵻd")
    if stem[-1] != "t":
        return stem + "d"
    if british or len(stem) < 2:
        return stem + "ɪd"
    return stem[:-1] + "ɾᵻd" if stem[-2] in FLAPPING else stem + "ᵻd"


def with_ing(stem: str, british: bool) -> str | None:
    """What goes on. British stems that end in a silent r are left to the dictionary."""
    if not stem or (british and stem[-1] in "əː"):
        return None
    if not british and len(stem) > 1 and stem[-1] == "t" and stem[-2] in FLAPPING:
        return stem[:-1] + "ɾɪŋ"
    return stem + "ɪŋ"


def s_stems(word: str) -> Iterator[str]:
    """What -s may have been put after."""
    if len(word) >= 3 and word.endswith("s"):
        if not word.endswith("ss"):
            yield word[:-1]
        if word.endswith("'s") or (len(word) > 4 and word.endswith("es") and not word.endswith("ies")):
            yield word[:-2]
        if len(word) > 4 and word.endswith("ies"):
            yield word[:-3] + "y"


def ed_stems(word: str) -> Iterator[str]:
    """What -ed may have been put after."""
    if len(word) >= 4 and word.endswith("d"):
        if word.endswith("ed"):
            yield word[:-1]
        if len(word) > 4 and word.endswith("ed") and not word.endswith("eed"):
            yield word[:-2]
            if len(word) > 5 and word[-3] == word[-4] and word[-3] in DOUBLED:
                yield word[:-3]
        if len(word) > 4 and word.endswith("ied"):
            yield word[:-3] + "y"


def ing_stems(word: str) -> Iterator[str]:
    """What -ing may have been put after."""
    if len(word) >= 5 and word.endswith("ing"):
        if len(word) > 5:
            yield word[:-3]
        yield word[:-3] + "e"
        if len(word) > 5 and (word.endswith("cking") or (word[-4] == word[-5] and word[-4] in DOUBLED)):
            yield word[:-4]


Ending: TypeAlias = tuple[Callable[[str], Iterator[str]], Callable[[str, bool], str | None]]
"""The stems a written word may have, and how the ending is said after one."""

ENDINGS: tuple[Ending, ...] = ((s_stems, with_s), (ed_stems, with_ed), (ing_stems, with_ing))
