"""Dates, in digits and with the month in letters."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import in_order
from sauropod._speech.english.normalisation.numerals import cardinal, ordinal, year
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["FROM_DIGITS", "FROM_LETTERS", "weekday"]

MONTHS = in_order("January February March April May June July August September October November December")
SHORT = {name[:3]: name for name in MONTHS} | {"Sept": "September"}
DAYS = in_order("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")
WEEKDAYS = {name[:3]: name for name in DAYS} | {"Tues": "Tuesday", "Thur": "Thursday", "Thurs": "Thursday"}
MONTH = "|".join([*MONTHS, *sorted(SHORT, key=len, reverse=True)])
ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=T?\b|T\d)(?!-?\d)")
NUMERIC = re.compile(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4}|\d{2})(?![\d/]|\.\d)")
DAY_FIRST = re.compile(rf"(\d{{1,2}})(?:st|nd|rd|th)? (?:of )?({MONTH})\b\.?(?:(,? )(\d{{4}})(?!\d|,\d|[.:]\d))?")
MONTH_FIRST = re.compile(
    rf"({MONTH})\b\.? (\d{{1,2}})(?:st|nd|rd|th)?(?![\d:%]|[.,]\d|[-/]\d|-?[A-Za-z])"
    r"(?:(, | )(\d{4})(?!\d|,\d|[.:]\d))?"
)
MONTH_YEAR = re.compile(rf"({MONTH})\b\.?(?= \d{{4}}\b)")
WEEKDAY = re.compile(rf"({'|'.join(WEEKDAYS)})(?:\.|(?=, ?(?:\d|{MONTH})))")


def _day(day: str, month: str, british: bool) -> str:
    said = ordinal(day, british)
    return f"the {said} of {month}" if british else f"{month} {said}"


def _numeric(year_: str, month: str, day: str, line: Line, at: int, end: int) -> Found | None:
    if not (1 <= int(month) <= 12 and 1 <= int(day) <= 31):
        return None
    which = cardinal(year_, line.british) if len(year_) == 2 and year_ > "09" else year(year_, line.british)
    if len(year_) == 2 and year_ <= "09":
        which = year("20" + year_, line.british)
    dated = said_as(_day(day, MONTHS[int(month) - 1], line.british), at, end)
    return Found([*dated, *said_as(which, at, end)], end)


def iso(line: Line, at: int) -> Found | None:
    """2024-03-03."""
    found = ISO.match(line.plain, at)
    return _numeric(found[1], found[2], found[3], line, at, found.end()) if found else None


def numeric(line: Line, at: int) -> Found | None:
    """03/04/2024: the month first in America, unless there is no such month."""
    found = NUMERIC.match(line.plain, at)
    if not found:
        return None
    first, second = found[1], found[3]
    day_first = line.british or found[2] == "."
    if (int(first) > 12) != (int(second) > 12):
        day_first = int(first) > 12
    day, month = (first, second) if day_first else (second, first)
    return _numeric(found[4], month, day, line, at, found.end())


def day_first(line: Line, at: int) -> Found | None:
    """3 March 2024."""
    found = DAY_FIRST.match(line.plain, at)
    if not found or not 1 <= int(found[1]) <= 31:
        return None
    said = [
        *said_as(f"the {ordinal(found[1], line.british)} of", at, found.end(1)),
        *_month(found[2], *found.span(2)),
    ]
    return _with_year(said, found, line)


def month_first(line: Line, at: int) -> Found | None:
    """March 3, 2024."""
    found = MONTH_FIRST.match(line.plain, at)
    if not found or not 1 <= int(found[2]) <= 31:
        return None
    article = "the " if line.british else ""
    said = [*_month(found[1], *found.span(1)), *said_as(article + ordinal(found[2], line.british), *found.span(2))]
    return _with_year(said, found, line)


def month_year(line: Line, at: int) -> Found | None:
    """A shortened month before a year."""
    found = MONTH_YEAR.match(line.plain, at)
    return Found(_month(found[1], at, found.end()), found.end()) if found and found[1] in SHORT else None


def weekday(line: Line, at: int) -> Found | None:
    """Mon. and Tue, before a date."""
    found = WEEKDAY.match(line.plain, at)
    return Found([Said(WEEKDAYS[found[1]], at, found.end())], found.end()) if found else None


def _month(written: str, start: int, end: int) -> list[Said]:
    return [Said(SHORT.get(written, written), start, end)]


def _with_year(said: list[Said], found: re.Match[str], line: Line) -> Found:
    if found[4]:
        said += [Said(",", found.start(3), found.start(3) + 1, Kind.MARK)] if "," in found[3] else []
        said = [*said, *said_as(year(found[4], line.british), *found.span(4))]
    return Found(said, found.end())


FROM_DIGITS = (iso, numeric, day_first)
FROM_LETTERS = (month_first, month_year, weekday)
