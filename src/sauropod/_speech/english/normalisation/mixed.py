"""Mixed: letters and digits in one word, such as B2B, mp3 and GPT-4."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import listed
from sauropod._speech.english.normalisation.numerals import digits, groups
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["RULES"]

FROM_LETTER = re.compile(r"(?:[A-Z]+-|[A-Za-z]+)\d+[A-Za-z]*(?:-?\d+[A-Za-z]*)*(?:\.\d+)?(?:-[A-Za-z]+(?:-?\d+)?)?")
FROM_DIGIT = re.compile(r"\d+(?:\.\d+)?[A-Za-z]+(?:\d+[A-Za-z]*)*")
PIECE = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[A-Z]|\d+|\.")
BY = re.compile(r"(\d{1,5})( ?x ?|×)(\d{1,5})(?![\d.])")
LONGEST = 24
"""Characters that are more than a code."""
LITTLE = listed("an as at be by do for go if in is it me my no of on or so to up us we")
VOWELS = re.compile(r"[aeiouy]")


def by(line: Line, at: int) -> Found | None:
    """4x4, 1920x1080."""
    found = BY.match(line.plain, at)
    if not found:
        return None
    first, second = (said_as(groups(found[at], line.british), *found.span(at)) for at in (1, 3))
    return Found([*first, Said("by", *found.span(2)), *second], found.end())


def mixed(line: Line, at: int) -> Found | None:
    """A word of letters and digits."""
    found = FROM_LETTER.match(line.plain, at) or FROM_DIGIT.match(line.plain, at)
    if not found:
        return None
    word, said = found[0], []
    code = len(word) > LONGEST or len(re.findall(r"\d+", word)) > 3
    for piece in PIECE.finditer(line.plain, at, found.end()):
        said += _piece(piece[0], *piece.span(), line, code=code)
    return Found(said, found.end())


def _piece(piece: str, start: int, end: int, line: Line, *, code: bool) -> list[Said]:
    if piece == ".":
        return said_as("point", start, end)
    if piece.isdecimal():
        after_point = start > 0 and line.plain[start - 1] == "."
        return said_as(digits(piece) if code or after_point else groups(piece, line.british), start, end)
    if piece.lower() in LITTLE and not piece.isupper():
        return [Said(piece, start, end)]
    if not code and len(piece) > 2 and (piece.isupper() or VOWELS.search(piece)):
        return [Said(piece, start, end)]
    return [Said(piece.upper(), start, end, Kind.LETTERS)]


RULES = (by, mixed)
