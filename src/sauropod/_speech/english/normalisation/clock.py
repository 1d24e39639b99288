"""Times of day."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.numerals import SMALL, cardinal
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["RULES"]

HALF = r"(?: ?([AaPp])\.?[Mm]\b(\.)?)"
CLOCK = re.compile(rf"(2[0-4]|[01]?\d):([0-5]\d)(?::([0-5]\d)(?:\.\d+)?)?(?![:\d]){HALF}?")
DOTTED = re.compile(rf"([01]?\d|2[0-4])\.([0-5]\d){HALF}")
HOUR = re.compile(rf"(1[0-2]|0?[1-9]){HALF}")
ENDS = re.compile(r"\s*$|\s+[\"“(]?(?:[A-Z][a-z']|[IA]\b)")


def clock(line: Line, at: int) -> Found | None:
    """3:30, 15:00, 3:30pm, 3.30 p.m., 10:15:30."""
    found = CLOCK.match(line.plain, at)
    if not found:
        dotted = DOTTED.match(line.plain, at)
        return _found(dotted, dotted[1], dotted[2], None, line, at, half=3) if dotted else None
    return _found(found, found[1], found[2], found[3], line, at, half=4)


def hour(line: Line, at: int) -> Found | None:
    """3pm."""
    found = HOUR.match(line.plain, at)
    return _found(found, found[1], None, None, line, at, half=2) if found else None


def _found(
    found: re.Match[str], hours: str, minutes: str | None, seconds: str | None, line: Line, at: int, *, half: int
) -> Found:
    told = max(found.end(group) for group in range(1, half)) if found[half] else found.end()
    words = _words(hours, minutes, named=found[half] is not None, british=line.british)
    if seconds is not None:
        words += f" and {cardinal(seconds, line.british)} second" + ("s" if seconds != "01" else "")
    said = said_as(words, at, told)
    if found[half]:
        said.append(Said(f"{found[half].upper()}M", told, found.end(), Kind.LETTERS))
        if found[half + 1] and ENDS.match(line.plain, found.end()):
            said[-1] = Said(said[-1].text, told, found.end() - 1, Kind.LETTERS)
            said.append(Said(".", found.end() - 1, found.end(), Kind.MARK))
    return Found(said, found.end())


def _words(hours: str, minutes: str | None, *, named: bool, british: bool) -> str:
    """`named` is whether morning or afternoon is."""
    hour_ = cardinal(hours, british)
    if minutes is None:
        return hour_
    if minutes == "00":
        if named:
            return hour_
        return f"{hour_} o'clock" if 1 <= int(hours) <= 12 else f"{hour_} hundred"
    return f"{hour_} oh {SMALL[int(minutes)]}" if minutes < "10" else f"{hour_} {cardinal(minutes, british)}"


RULES = (clock, hour)
