"""Validators: a value of the wrong kind or out of range is an error of ours that names the field."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from sauropod.errors import RequestError

__all__ = ["integer", "is_finite", "is_integer", "is_text", "kind", "listed", "mapped", "number"]

Validator: TypeAlias = Callable[[Any, "attrs.Attribute[Any]", Any], None]


def is_finite(value: Any) -> bool:
    """Whether it is a number that a float can hold."""
    try:
        return (is_integer(value) or isinstance(value, float)) and math.isfinite(value)
    except OverflowError:
        return False


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def is_text(value: Any) -> bool:
    """Whether it is text that can be written down: half of a surrogate pair cannot."""
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def number(
    error: type[RequestError],
    low: float = -math.inf,
    high: float = math.inf,
    *,
    zero: bool = False,
    optional: bool = True,
) -> Validator:
    """For a finite number in [low, high], or 0 if `zero`, or None if `optional`."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if optional and value is None:
            return
        if not is_finite(value):
            raise error(f"{attribute.name} must be a finite number; got {_short(value)}.")
        if not low <= value <= high and not (zero and value == 0):
            lower = "" if low == -math.inf else f"{'0, or ' * zero}at least {low:g}"
            upper = "" if high == math.inf else f"at most {high:g}"
            raise error(f"{attribute.name} must be {' and '.join(filter(None, [lower, upper]))}; got {_short(value)}.")

    return check


def integer(error: type[RequestError], low: int, high: int, *, optional: bool = True) -> Validator:
    """For an integer in [low, high], or None if `optional`."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if optional and value is None:
            return
        if not is_integer(value) or not low <= value <= high:
            raise error(f"{attribute.name} must be an integer from {low} to {high}; got {_short(value)}.")

    return check


def kind(error: type[RequestError], *types: type, optional: bool = False) -> Validator:
    """For an instance of one of these types, or None if `optional`."""

    def check(_: Any, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, types) and not (optional and value is None):
            wanted = " or ".join([each.__name__ for each in types] + ["None"] * optional)
            raise error(f"{attribute.name} must be {wanted}; got {_short(value)}.")

    return check


def listed(
    value: Iterable[Any] | None, error: type[RequestError], name: str, what: str, fits: Callable[[Any], bool]
) -> tuple[Any, ...]:
    """A tuple of what `fits`; `what` describes it. None is an empty one, and a text is a list of one."""
    items = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, Iterable) else None
    if value is None:
        return ()
    if items is None or not all(fits(item) for item in items):
        raise error(f"{name} must be a list of {what}; got {_short(value)}.")
    return items


def mapped(
    value: Mapping[Any, Any] | None, error: type[RequestError], name: str, what: str, fits: Callable[[Any, Any], bool]
) -> dict[Any, Any]:
    """A dict of keys and values that `fits`; `what` describes them. None is an empty one."""
    if value is not None and not isinstance(value, Mapping):
        raise error(f"{name} must map {what}; got {_short(value)}.")
    for key, item in (value or {}).items():
        if not fits(key, item):
            raise error(f"{name} must map {what}; got {_short(key)}: {_short(item)}.")
    return dict(value or {})


def _short(value: Any) -> str:
    """What was given instead, as far as it helps."""
    try:
        text = repr(value)
    except Exception:  # a value of the user's own, or an integer with too many digits to write
        return type(value).__name__
    return text if len(text) <= 80 else f"{text[:60]}…, {type(value).__name__}"
