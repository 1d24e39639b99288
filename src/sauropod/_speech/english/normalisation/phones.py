"""Phone numbers, and other groups of digits that are read one by one."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.numerals import digits
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["RULES"]

PHONE = re.compile(
    r"\+\d{1,3}[ .-]?(?:\(\d{1,5}\)[ .-]?)?\d{1,12}(?:[ .-]\d{2,6}){0,5}"  # +44 20 7946 0958
    r"|\(\d{2,5}\)[ -]?\d{3,8}(?:[ -]\d{2,6}){0,3}"  # (555) 123-4567
    r"|(?:\d-)?\d{3}-\d{3}-\d{4}"  # 1-800-555-0199
    r"|\d{3}-\d{4}(?![\d-])|\d{3}[-.]\d{3}[-.]\d{4}"  # 555-1234, 555-123-4567
    r"|0\d{1,5}(?:[ -]\d{3,8}){1,4}|\d{4}(?: \d{4}){3}"  # 020 7946 0958, a card's number
)
FEWEST = 7
"""Digits of a phone number."""
LONG = re.compile(r"0\d+(?![.,]?\d)|\d{10,}(?![.,]?\d)")
GROUP = re.compile(r"\d+")


def phone(line: Line, at: int) -> Found | None:
    """Groups of digits, with a rest between them."""
    found = PHONE.match(line.plain, at)
    if not found or sum(map(str.isdigit, found[0])) < FEWEST or line.plain[found.end() : found.end() + 1].isalnum():
        return None
    said: list[Said] = [Said("plus", at, at + 1)] if line.plain[at] == "+" else []
    for group in GROUP.finditer(line.plain, at, found.end()):
        if said and said[-1].text != "plus":
            said.append(Said(",", group.start(), group.start(), Kind.MARK))
        said += said_as(digits(group[0], "oh" if line.british else "zero"), *group.span())
    return Found(said, found.end())


def long(line: Line, at: int) -> Found | None:
    """A number with a nought in front, or of ten digits and more without a comma, is no quantity."""
    found = LONG.match(line.plain, at)
    if not found or len(found[0]) < 3 or line.plain[found.end() : found.end() + 1].isalpha():
        return None
    return Found(said_as(digits(found[0], "oh" if line.british else "zero"), at, found.end()), found.end())


RULES = (phone, long)
