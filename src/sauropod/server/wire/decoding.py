"""Decoding: what a client sent, as an instance of a type, or a `Problem` that names the place of the fault."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec

from sauropod.server.problems import Problem, invalid

__all__ = ["converted", "decoded", "encoded"]

T = TypeVar("T")

_AT = re.compile(r"^(?P<what>.*?)(?: - at `(?P<where>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>[^`]*)`")

encoded = msgspec.json.encode
"""A value as JSON."""


@lru_cache
def _decoder(type_: Any) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(type_)


def decoded(type_: type[T], body: bytes) -> T:
    """The body of a request. Raises `Problem`: for what is no JSON, and for what is not of the type."""
    try:
        return cast("T", _decoder(type_).decode(body))  # type: ignore[arg-type]
    except msgspec.ValidationError as error:
        raise _problem(error, "") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise invalid(
            f"The body is not valid JSON: {error}. Send an object, with the content type application/json."
        ) from None


def converted(type_: type[T], value: Any, param: str) -> T:
    """A part of a body that was decoded as plain JSON; `param` says which. Raises `Problem`."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise _problem(error, param) from None


def _problem(error: msgspec.ValidationError, param: str) -> Problem:
    found = _AT.match(str(error))
    assert found
    what, where = found["what"], (found["where"] or "$").removeprefix("$")
    if lacking := _MISSING.match(what):
        where, code = f"{where}.{lacking['name']}", "missing_required_parameter"
        what = f"Missing required parameter: '{(param + where).removeprefix('.')}'"
    else:
        code = "invalid_type" if what.startswith("Expected") else "invalid_value"
    place = (param + where).removeprefix(".")
    place = place.replace("[...]", "[]")
    told = what if not place or lacking else f"Invalid value for '{place}': {what[0].lower()}{what[1:]}"
    return invalid(f"{told}.", place or None, code)
