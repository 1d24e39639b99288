"""Kinds of values: what a key takes, how it is read out of a text, and how it is written down again."""

from __future__ import annotations

import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any

import attrs

__all__ = [
    "Kind",
    "listed",
    "number",
    "one_of",
    "parsed",
    "switch",
    "tabled",
    "text",
    "whole",
]


def _same(value: Any) -> Any:
    return value


@attrs.frozen
class Kind:
    """What a key may be set to.

    `check` gives a value as it is kept, and what it has given itself as that is. It raises `ValueError` for what is not
    `what`, with whatever else is to be said, or `ConfigurationError` for a table with faults of its own. `parse` makes
    of a variable's or flag's text what TOML would have had, `write` of a kept value what TOML has; None has no word.
    """

    name: str
    """In a word, for tables in the docs."""
    what: str
    """After "must be"."""
    check: Callable[[Any], Any]
    parse: Callable[[str], Any] = _same
    write: Callable[[Any], Any] = _same
    item: Kind | None = None
    """What the values of a table are."""
    secret: bool = False
    """Never shown, not in an error either."""


def text(what: str = "a text", *, empty: bool = True, check: Callable[[str], str] = _same) -> Kind:
    """Texts that can be written as UTF-8."""

    def checked(value: Any) -> str:
        if not isinstance(value, str) or not (empty or value.strip()):
            raise ValueError
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ValueError("it has bytes that are not UTF-8") from None
        return check(value)

    return Kind("text", what, checked)


def one_of(*words: str, later: Mapping[str, str] | None = None) -> Kind:
    """One of these words. `later` are those that are known and cannot be had yet, with what to do meanwhile."""

    def checked(value: Any) -> str:
        if isinstance(value, str) and value in (later or {}):
            raise ValueError((later or {})[value])
        if value not in words:
            raise ValueError
        return str(value)

    named = [f'"{word}"' for word in words]
    return Kind(" or ".join(named), f"{', '.join(named[:-1])} or {named[-1]}", checked)


def switch() -> Kind:
    """True or false."""
    said = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}

    def checked(value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError
        return value

    return Kind("true or false", "true or false", checked, lambda text: said.get(text.strip().lower(), text))


def whole(low: int, high: int = 2**31 - 1) -> Kind:
    """Whole numbers in a range."""

    def checked(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        return value

    upper = "" if high >= 2**31 - 1 else f" to {high}"
    what = f"a whole number from {low}{upper}" if upper else f"a whole number of at least {low}"
    return Kind("whole number", what, checked, _tried(int))


def number(low: float, high: float = math.inf) -> Kind:
    """Finite numbers in a range."""

    def checked(value: Any) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise ValueError
        try:
            found = float(value)
        except OverflowError:
            raise ValueError from None
        if not math.isfinite(found):
            raise ValueError
        return found

    what = f"a number from {low:g} to {high:g}" if high != math.inf else f"a number of at least {low:g}"
    return Kind("number", what, checked, _tried(float))


def listed(item: Kind) -> Kind:
    """Lists, kept as tuples. A text is a list with commas, or a list as TOML or JSON has it."""

    def checked(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple):
            raise ValueError
        try:
            return tuple(item.check(each) for each in value)
        except ValueError as error:
            raise ValueError(str(error) or f"each must be {item.what}") from None

    def parse(given: str) -> Any:
        if given.lstrip().startswith("["):
            return parsed(given)
        return [item.parse(part.strip()) for part in given.split(",") if part.strip()]

    return Kind(f"list of {item.name}s", f"a list, each of it {item.what}", checked, parse, list, secret=item.secret)


def tabled(item: Kind) -> Kind:
    """Tables of names to values of a kind."""

    def checked(value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
            raise ValueError
        return {name: item.check(each) for name, each in value.items()}

    return Kind("table", f"a table whose values are {item.what}", checked, parsed, dict, item=item)


def parsed(given: str) -> Any:
    """A text as the value that TOML or JSON reads in it; as it is, where they read none."""
    try:
        found = tomllib.loads(f"value = {given}")
        if found.keys() == {"value"}:
            return found["value"]
    except tomllib.TOMLDecodeError:
        pass
    try:
        return json.loads(given)
    except ValueError:
        return given


def _tried(kind: Callable[[str], Any]) -> Callable[[str], Any]:
    """Made of a text where it is one of these; else the text, of which `check` can say what it is not."""

    def parse(given: str) -> Any:
        stripped = given.strip()
        try:
            return kind(stripped) if re.fullmatch(r"[-+\d._eE]+", stripped) else given
        except ValueError:
            return given

    return parse
