"""Regular expressions that mean the same to everyone: formats of texts, and what not to write."""

from __future__ import annotations

import re

__all__ = ["FORMATS", "LEAP_YEAR", "LOCAL_DATE_TIME", "LOCAL_TIME", "YEAR", "strange_syntax"]

YEAR = "(?:[0-9]{3}[1-9]|[0-9]{2}[1-9][0-9]|[0-9][1-9][0-9]{2}|[1-9][0-9]{3})"
LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:0[48]|[2468][048]|[13579][26])00)"

_LONG_MONTH, _SHORT_MONTH = "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])", "(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
_DATE = f"(?:{YEAR}-(?:{_LONG_MONTH}|{_SHORT_MONTH}|02-(?:0[1-9]|1[0-9]|2[0-8]))|{LEAP_YEAR}-02-29)"
_ZONE = "(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_CLOCK_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?"
_TIME = f"{_CLOCK_TIME}{_ZONE}"
LOCAL_TIME = f"^{_CLOCK_TIME}$"
LOCAL_DATE_TIME = f"^{_DATE}T{_CLOCK_TIME}$"
"""Without a zone, as no format of JSON Schema is."""
_BYTE = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_HEX = "[0-9a-fA-F]"
_LABEL = "[A-Za-z0-9]{1,20}(?:-[A-Za-z0-9]{1,20}){0,2}"
_ATOM = "[A-Za-z0-9_+-]{1,20}"
_PATH = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-F]{2})"
_GROUP = "[0-9a-fA-F]{1,4}"
_IPV6 = f"(?:(?:{_GROUP}:){{7}}{_GROUP}|(?:{_GROUP}:){{1,6}}:{_GROUP}|::{_GROUP}(?::{_GROUP}){{0,6}})"
_CLOCK = "T(?:[0-9]{1,4}H(?:[0-9]{1,4}M(?:[0-9]{1,4}S)?)?|[0-9]{1,4}M(?:[0-9]{1,4}S)?|[0-9]{1,4}S)"
_DAYS = "(?:[0-9]{1,4}Y(?:[0-9]{1,4}M(?:[0-9]{1,4}D)?)?|[0-9]{1,4}M(?:[0-9]{1,4}D)?|[0-9]{1,4}D)"
_DURATION = f"P(?:{_DAYS}(?:{_CLOCK})?|{_CLOCK}|[0-9]{{1,4}}W)"

FORMATS = {
    "date": _DATE,
    "time": _TIME,
    "date-time": f"{_DATE}T{_TIME}",
    "uuid": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "ipv4": rf"{_BYTE}(?:\.{_BYTE}){{3}}",
    "ipv6": _IPV6,
    "email": rf"{_ATOM}(?:\.{_ATOM}){{0,2}}@{_LABEL}(?:\.{_LABEL}){{1,3}}",
    "hostname": rf"{_LABEL}(?:\.{_LABEL}){{0,3}}",
    "uri": rf"[a-z][a-z0-9+-]{{1,15}}://{_LABEL}(?:\.{_LABEL}){{0,3}}(?::[1-9][0-9]{{0,3}})?(?:/{_PATH}*)?",
    "duration": _DURATION,
}
"""Texts of JSON Schema's formats (RFC 3339, 4122, 791, 4291). Of RFC 5322, 1123 and 3986 what is common: no quotes, few
dots, a host in every URI."""

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
