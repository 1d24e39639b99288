"""Words: letters with the apostrophes and hyphens among them."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import in_order
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said

__all__ = ["FROM_APOSTROPHE", "FROM_LETTERS", "foreign", "simple"]

WORD = re.compile(r"[A-Za-z]+(?:['-][A-Za-z]+)*(?:(?<=[sz])')?")
SIMPLE = re.compile(r"(?!(?:vs|etc|approx|dept|govt|eg|ie|aka)\b)[a-z]+(?:'[a-z]+)*(?=[\s,;!?)\"”—…]|$)")
PLURAL = re.compile(r"([A-Z]{2,6})('?s)(?![A-Za-z])")
ELIDED = re.compile(r"'(?:tis|twas|em|cause|til|bout|cept|n|round|twere|kay)\b'?", re.IGNORECASE)
FOREIGN = re.compile(r"[^\W\d_a-zA-Z]+")
GREEK_NAMES = in_order(
    "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon phi chi psi "
    "omega"
)
GREEK = dict(zip("αβγδεζηθικλμνξπρστυφχψω", GREEK_NAMES, strict=True))


def simple(line: Line, at: int) -> Found | None:
    """Small letters with nothing special after them, as nine words of ten: no other rule has to look at them."""
    found = SIMPLE.match(line.plain, at)
    return Found([Said(found[0], at, found.end())], found.end()) if found else None


def plural(line: Line, at: int) -> Found | None:
    """CDs, and BBC's: letters, and an -s after them."""
    found = PLURAL.match(line.plain, at)
    return Found([Said(found[1] + "'s", at, found.end())], found.end()) if found else None


def word(line: Line, at: int) -> Found | None:
    """Any other."""
    found = WORD.match(line.plain, at)
    return Found([Said(found[0], at, found.end())], found.end()) if found else None


def elided(line: Line, at: int) -> Found | None:
    """'tis and rock 'n' roll."""
    found = ELIDED.match(line.plain, at)
    if not found or (at and line.plain[at - 1].isalnum()):
        return None
    text = "and" if found[0].strip("'").lower() == "n" else found[0].rstrip("'")
    return Found([Said(text, at, found.end())], found.end())


def foreign(line: Line, at: int) -> Found | None:
    """Letters of other scripts: a Greek one has a name, words are passed over."""
    found = FOREIGN.match(line.plain, at)
    if not found:
        return None
    name = GREEK.get(found[0].lower())
    kind = Kind.WORD if name else Kind.SILENT
    return Found([Said(name or "", at, found.end(), kind)], found.end())


FROM_LETTERS = (plural, word)
FROM_APOSTROPHE = (elided,)
