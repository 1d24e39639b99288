"""Symbols: characters with a name."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["arithmetic", "dot", "named", "numbered", "slash"]

NAMES = {
    "&": "and",
    "+": "plus",
    "=": "equals",
    "@": "at",
    "%": "percent",
    "°": "degrees",
    "×": "times",
    "÷": "divided by",
    "±": "plus or minus",
    "≈": "approximately",
    "≠": "not equal to",
    "≤": "less than or equal to",
    "≥": "greater than or equal to",
    "§": "section",
    "©": "copyright",
    "²": "squared",
    "³": "cubed",
    "√": "square root of",
    "∞": "infinity",
    "‰": "per mille",
    "№": "number",
    "$": "dollars",
    "£": "pounds",
    "€": "euros",
    "¥": "yen",
    "¢": "cents",
}
LONE = re.compile(r"([&+=@%])\1*")
HASH = re.compile(r"#(?=(\d)|[A-Za-z])")
BETWEEN = re.compile(r"[ \t]*[\d.(]")
SLASH = re.compile(r"/+")
ANDOR = re.compile(r"/(?=or\b)", re.IGNORECASE)
PER = re.compile(r"/(?=(?:second|minute|hour|day|week|night|month|year|person|user|head|kg|lb|mile|gallon|token)s?\b)")
ABOUT = re.compile(r"~(?=[\d$£€])")
POWER = re.compile(r"\^(?=-?[\dA-Za-z(])")
LESS = re.compile(r"[<>]=?")
COMPARED = {"<": "less than", ">": "greater than", "<=": "less than or equal to", ">=": "greater than or equal to"}


def numbered(line: Line, at: int) -> Found | None:
    """#1 is a number, #word a hashtag, C# sharp."""
    if line.plain[at] != "#":
        return None
    if at and line.plain[at - 1].isalpha():
        return Found([Said("sharp", at, at + 1)], at + 1)
    found = HASH.match(line.plain, at)
    return Found([Said("number" if found[1] else "hashtag", at, at + 1)], at + 1) if found else None


def slash(line: Line, at: int) -> Found | None:
    """and/or, per month, he/she."""
    found = SLASH.match(line.plain, at)
    if not found:
        return None
    end = found.end()
    if ANDOR.match(line.plain, at):
        return Found([Said("", at, end, Kind.SILENT)], end)
    if at and line.plain[at - 1].isalnum() and PER.match(line.plain, at):
        return Found([Said("per", at, end)], end)
    followed = line.plain[end : end + 1].isalnum()
    return Found([Said("slash", at, end)] if followed else [], end)


def arithmetic(line: Line, at: int) -> Found | None:
    """* between numbers, - between spaces and numbers, ^ before one, < and >."""
    symbol = line.plain[at]
    before = line.plain[max(0, at - 3) : at].rstrip()
    counted = bool(before) and (before[-1].isdigit() or before[-1] == ")") and BETWEEN.match(line.plain, at + 1)
    if symbol == "*" and counted and line.plain[at - 1 : at] != "*":
        return Found([Said("times", at, at + 1)], at + 1)
    if symbol == "-" and counted and line.plain[at - 1] == " " and line.plain[at + 1 : at + 2] == " ":
        return Found([Said("minus", at, at + 1)], at + 1)
    if symbol == "^" and before and before[-1].isalnum() and POWER.match(line.plain, at):
        return Found(said_as("to the power of", at, at + 1), at + 1)
    if ABOUT.match(line.plain, at):
        return Found([Said("about", at, at + 1)], at + 1)
    found = LESS.match(line.plain, at)
    if found and BETWEEN.match(line.plain, found.end()) and (not before or before[-1].isalnum() or before[-1] == ")"):
        return Found(said_as(COMPARED[found[0]], at, found.end()), found.end())
    return None


def dot(line: Line, at: int) -> Found | None:
    """A full stop within a name, such as Node.js and .NET."""
    text = line.plain
    if text[at] != "." or not text[at + 1 : at + 2].isalnum():
        return None
    first = at == 0 or text[at - 1].isspace()
    if first or (text[at - 1].isalnum() and (text[at + 1].islower() or text[at + 1].isdigit())):
        return Found([Said("dot", at, at + 1)], at + 1)
    return None


def named(line: Line, at: int) -> Found | None:
    """Any other with a name; several of one kind are said once, except in C++."""
    symbol = line.plain[at]
    if symbol not in NAMES:
        return None
    found = LONE.match(line.plain, at)
    end = found.end() if found and symbol != "+" else at + 1
    if symbol == "=" and end - at > 2:
        return Found([], end)
    return Found(said_as(NAMES[symbol], at, end), end)
