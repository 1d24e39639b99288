"""Amounts with units: times such as "10m" and sizes such as "32 MiB"."""

from __future__ import annotations

import math
import re
from typing import Any

from sauropod.server.config.kinds import Kind

__all__ = ["duration", "size"]

SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}

_TIME = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)\s*")
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kmg]?i?b?)", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


def duration() -> Kind:
    """Times, kept as seconds; without an end as None."""
    what = 'seconds, or a time such as "90s", "10m", "1h30m" or "30d", or "forever"'
    return Kind("time", what, _seconds, write=lambda value: "forever" if value is None else _whole(value))


def size(low: int = 1) -> Kind:
    """Sizes, kept as bytes."""

    def checked(value: Any) -> int:
        found = _bytes(value)
        if found < low:
            raise ValueError(f"at least {low:,} bytes")
        return found

    return Kind("size", 'a number of bytes, or a size such as "32 MiB"', checked)


def _whole(seconds: float) -> float:
    return int(seconds) if seconds.is_integer() else seconds


def _seconds(value: Any) -> float | None:
    if value is None or value == "forever":
        return None
    if isinstance(value, str):
        value = float(value) if _NUMBER.fullmatch(value.strip()) else _sum(value.strip())
    if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value) or value >= 1e10:
        raise ValueError
    if value == -1:
        return None
    if value < 0:
        raise ValueError('-1 or "forever" is without end')
    return float(value)


def _sum(text: str) -> float:
    found = _TIME.findall(text)
    if not found or _TIME.sub("", text):
        raise ValueError
    return sum(float(amount) * SECONDS[unit] for amount, unit in found)


def _bytes(value: Any) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = _SIZE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or match[2].lower() not in BYTES or len(match[1]) > 18:
        raise ValueError
    return round(float(match[1]) * BYTES[match[2].lower()])
