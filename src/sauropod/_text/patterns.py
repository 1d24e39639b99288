"""Regular expressions that mean the same to everyone: formats of texts, and what not to write."""

from __future__ import annotations

import re

__all__ = ["FORMATS", "LEAP_YEAR", "YEAR", "strange_syntax"]

YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"

_LONG_MONTH, _SHORT_MONTH = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])", "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_DATE = f"(?:{YEAR}-(?:{_LONG_MONTH}|{_SHORT_MONTH}|02-(?:0[1-9]|1[0-9]|2[0-8]))|{LEAP_YEAR}-02-29)"
_ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_TIME = rf"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{{1,9}})?{_ZONE}"
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9a-fA-F]"
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "uuid": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "ipv4": rf"{_BYTE}(?:\.{_BYTE}){{3}}",
    "email": rf"[A-Za-z0-9](?:[A-Za-z0-9_+-]{{0,62}}[A-Za-z0-9])?@{_LABEL}(?:\.{_LABEL})+",
}
"""Texts of JSON Schema's formats (RFC 3339, 4122, 791; of RFC 5322 what is written without quotes)."""

_STRANGE = (
    (re.compile(r"\(\?(?!:|<[A-Za-z_])"), "an inline flag or look-around"),
    (re.compile(r"(?:[*+?]|\{[0-9,]+\})\+"), "a possessive quantifier"),
)


def strange_syntax(pattern: str) -> str:
    """What in a pattern means one thing to Rust's `regex` and another, or nothing, to ECMA-262; empty if nothing."""
    outside = []
    inside = False
    rest = iter(range(len(pattern)))
    for place in rest:
        character, after = pattern[place], pattern[place + 1 : place + 2]
        if character == "\\":
            if after in ("A", "z", "a", "x") and (after != "x" or pattern[place + 2 : place + 3] == "{"):
                return f"\\{after}"
            next(rest, None)
            outside.append("_")
        elif inside:
            if character == "[" or (character == after and character in "&-~"):
                return f"an unescaped {character} in brackets"
            inside = character != "]" or pattern[place - 1] == "[" or pattern[place - 2 : place] == "[^"
        else:
            inside = character == "["
            outside.append(character)
    plain = "".join(outside)
    return next((name for expression, name in _STRANGE if expression.search(plain)), "")
