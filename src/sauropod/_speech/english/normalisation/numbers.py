"""Numbers: decimals, ordinals, fractions, decades, years, ranges, and plain ones."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import in_order, listed
from sauropod._speech.english.normalisation.numerals import cardinal, digits, fraction, ordinal, plural, year
from sauropod._speech.english.normalisation.said import Found, Line, Said, said_as

__all__ = ["NUMBER", "RULES", "between", "decades", "decimal", "fractions", "minus", "plurals", "point"]

NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
PLAIN = re.compile(NUMBER)
MINUS = re.compile(r"-(?=[.\d$£€])")
POINT = re.compile(r"\.(\d+)")
ORDINAL = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+)(st|nd|rd|th)(?![A-Za-z])", re.IGNORECASE)
FRACTION = re.compile(r"(?:(\d{1,6})[ -])?(\d{1,4})/(\d{1,4})(?![\d/]|[.,]\d)")
VULGAR = re.compile(r"(\d{1,9} ?)?([½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚])")
VULGAR_PARTS = in_order("1/2 1/4 3/4 1/3 2/3 1/8 3/8 5/8 7/8 1/5 2/5 3/5 4/5 1/6 5/6")
VULGARS = dict(zip("½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚", VULGAR_PARTS, strict=True))
DECADE = re.compile(r"(')?(\d{1,2})?(\d0)'?s(?![A-Za-z])")
PLURAL = re.compile(r"(\d{1,4})'?s(?![A-Za-z])")
THE = re.compile(r"(?:the|these|those|his|her|their|my|our|early|mid|late)[ -]'?$", re.IGNORECASE)
RANGE = re.compile(rf"({NUMBER})( ?– ?|-| - )(?=\d)")
RATIO = re.compile(r"(\d{1,4})(:)(?=\d{1,4}(?![:\d]))")
CHAIN = re.compile(rf"(?:{NUMBER}-){{2}}")
MEASURED = re.compile(r"(?:\d ?[A-Za-z°%.]{1,4}|:\d\d)$")
BETWEEN = re.compile(r"[-–](?=[$£€]?\d)")
VERSION = re.compile(r"\d+(?:\.\d+){2,}")
FIXED = {"24/7": "twenty-four seven", "9/11": "nine eleven", "7/7": "seven seven"}
"""Fractions that are none."""

YEARLY = listed(
    "in since by from until till of year years circa early late mid before after during around about to and between "
    "january february march april may june july august september october november december spring summer autumn "
    "fall winter copyright class"
)
"""A year may come after these."""
BEFORE = re.compile(r"([A-Za-z]+)[ ,]{1,2}$")
COUNTED = re.compile(r" ([a-z]+)")
NO_PLURAL = listed("was is has this as its his us various perhaps always across towards besides sometimes plus")


def decimal(number: str, british: bool) -> str:
    """A number as it is read: its whole part, and what comes after the point digit by digit."""
    whole, point, part = number.replace(",", "").partition(".")
    long = len(whole) > 1 and whole.startswith("0")
    words = digits(whole) if long else cardinal(whole, british) if whole else ""
    return f"{words} point {digits(part)}".strip() if point else words


def minus(line: Line, at: int) -> Found | None:
    """A sign before a number, if nothing stands before it."""
    if MINUS.match(line.plain, at) and (at == 0 or line.plain[at - 1] in " \t\n([{=<>~:,/*+^\"'|“"):
        return Found([Said("minus", at, at + 1)], at + 1)
    return None


def point(line: Line, at: int) -> Found | None:
    """A number that begins with its point."""
    found = POINT.match(line.plain, at)
    if not found or (at and line.plain[at - 1].isalnum()):
        return None
    return Found(said_as(f"point {digits(found[1])}", at, found.end()), found.end())


def between(line: Line, at: int) -> Found | None:
    """A dash from one quantity to another: 9am-5pm, 5%–10%."""
    if not BETWEEN.match(line.plain, at) or not MEASURED.search(line.plain, max(0, at - 8), at):
        return None
    return Found([Said("to", at, at + 1)], at + 1)


def version(line: Line, at: int) -> Found | None:
    """More than one point: a version or an address."""
    found = VERSION.match(line.plain, at)
    if not found:
        return None
    parts = found[0].split(".")
    joint = " dot " if len(parts) == 4 else " point "
    words = joint.join(cardinal(part, line.british) for part in parts)
    return Found(said_as(words, at, found.end()), found.end())


def fractions(line: Line, at: int) -> Found | None:
    """1/2, 2 1/2, ½ and 2½."""
    if vulgar := VULGAR.match(line.plain, at):
        whole, (above, below), end = vulgar[1], VULGARS[vulgar[2]].split("/"), vulgar.end()
    elif written := FRACTION.match(line.plain, at):
        whole, above, below, end = written[1], written[2], written[3], written.end()
        if written[0] in FIXED:
            return Found(said_as(FIXED[written[0]], at, end), end)
        if whole and int(above) >= int(below):  # two numbers, of which the second is a fraction
            return None
    else:
        return None
    if int(below) == 0:
        return None
    words = fraction(above, below, line.british)
    if whole:
        words = words.replace("one ", "a ", 1) if above == "1" else words
        words = f"{cardinal(whole.strip(), line.british)} and {words}"
    return Found(said_as(words, at, end), end)


def ordinals(line: Line, at: int) -> Found | None:
    """1st, 22nd."""
    found = ORDINAL.match(line.plain, at)
    if not found:
        return None
    return Found(said_as(ordinal(found[1].replace(",", ""), line.british), at, found.end()), found.end())


def decades(line: Line, at: int) -> Found | None:
    """1990s, '90s, the 90s."""
    found = DECADE.match(line.plain, at)
    if not found or not (found[2] or found[1] or THE.search(line.plain, max(0, at - 12), at)):
        return None
    century, tens = found[2] or "", found[3]
    if len(century) < 2 or (tens == "00" and century[1] == "0"):
        words = plural(cardinal(century + tens, line.british))
    elif tens == "00":
        words = plural(year(century + tens, line.british))
    else:
        words = f"{cardinal(century, line.british)} {plural(cardinal(tens, line.british))}"
    return Found(said_as(words, at, found.end()), found.end())


def plurals(line: Line, at: int) -> Found | None:
    """Any other number in the plural."""
    found = PLURAL.match(line.plain, at)
    if not found or not (len(found[1]) == 4 or THE.search(line.plain, max(0, at - 12), at)):
        return None
    words = year(found[1], line.british) if len(found[1]) == 4 else cardinal(found[1], line.british)
    return Found(said_as(plural(words), at, found.end()), found.end())


def ranges(line: Line, at: int) -> Found | None:
    """The first of two numbers, and "to"; the second is read with what follows it."""
    found = RANGE.match(line.plain, at)
    if not found or (found[2] == "-" and CHAIN.match(line.plain, at)):
        return None
    if found[2] == " - " and not (found[1].isdecimal() and len(found[1]) == 4):  # a difference, unless of years
        return None
    words = _plain(found[1], line, at, found.end(1))
    between = Said("to", found.start(2), found.end(2))
    return Found([*said_as(words, at, found.end(1)), between], found.end())


def ratios(line: Line, at: int) -> Found | None:
    """The first number of 16:9; a time of day is read before."""
    found = RATIO.match(line.plain, at)
    if not found:
        return None
    return Found([*said_as(decimal(found[1], line.british), *found.span(1)), Said("to", *found.span(2))], found.end())


def plain(line: Line, at: int) -> Found | None:
    """Any other number."""
    found = PLAIN.match(line.plain, at)
    return found and Found(said_as(_plain(found[0], line, at, found.end()), at, found.end()), found.end())


def _plain(number: str, line: Line, start: int, end: int) -> str:
    if len(number) == 4 and number.isdecimal() and is_year(number, line.plain, start, end):
        return year(number, line.british)
    return decimal(number, line.british)


def is_year(number: str, text: str, start: int, end: int) -> bool:
    """Whether four digits are a year, by the words around them."""
    before = BEFORE.search(text, max(0, start - 16), start)
    named = before is not None and before[1].lower() in YEARLY
    if not 1100 <= int(number) <= 2099:
        return named and int(number) >= 1000 and int(number) < 1100
    counted = COUNTED.match(text, end)
    things = counted is not None and counted[1].endswith("s") and counted[1] not in NO_PLURAL
    return not things or (named and before is not None and before[1].lower() in ("in", "since", "until", "circa"))


RULES = (version, fractions, ordinals, ranges, ratios, plain)
