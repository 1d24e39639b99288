"""Blending: voices mixed of others, each with its share."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["blended", "check_voices", "read_voice"]


def read_voice(voice: str | Mapping[str, float]) -> dict[str, float]:
    """Voices and their shares, which add up to 1.

    `"af_heart"` is one voice, `"af_heart+af_bella"` the middle between two, and `"af_heart:0.7+af_bella:0.3"`, or
    `"af_heart:7+af_bella:3"`, lies nearer to the first. A mapping may be given just as well. Raises `UnsupportedInput`.
    """
    shares = _written(voice) if isinstance(voice, str) else _mapped(voice)
    if not shares:
        raise UnsupportedInput("There is no voice in voice. Name one, such as 'af_heart'.")
    total = math.fsum(shares.values())
    if not (math.isfinite(total) and total > 0 and all(share >= 0 for share in shares.values())):
        raise UnsupportedInput(f"The shares of voices must be numbers from 0 on, and not all of them 0; got {shares}.")
    return {name: share / total for name, share in shares.items() if share}


def check_voices(voices: Collection[str], known: Collection[str]) -> None:
    """Raise `UnsupportedInput`, with names that look alike, for a voice that there is not."""
    import difflib

    for name in voices:
        if name not in known:
            close = difflib.get_close_matches(name, known, 3, 0.5)
            there = ", ".join(sorted(known)[:8]) + (" and others" if len(known) > 8 else "")
            hint = f"Did you mean {' or '.join(close)}?" if close else f"There are {there}."
            raise UnsupportedInput(f"There is no voice {name!r}. {hint}")


def blended(rows: Mapping[str, NDArray[np.float32]], shares: Mapping[str, float]) -> NDArray[np.float32]:
    """The sum of the voices' rows, each times its share: float32, of a row's shape."""
    import numpy as np

    total = sum(np.asarray(rows[name], np.float64) * share for name, share in shares.items())
    return np.asarray(total, np.float32)


def _written(voice: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in voice.split("+"):
        name, colon, share = (each.strip() for each in part.partition(":"))
        if not name:
            raise UnsupportedInput(f"A voice is written like af_heart, or af_heart:0.7+af_bella:0.3; got {voice!r}.")
        try:
            shares[name] = shares.get(name, 0.0) + (float(share) if colon else 1.0)
        except ValueError as error:
            raise UnsupportedInput(f"{share!r} is no share of the voice {name}: it must be a number.") from error
    return shares


def _mapped(voice: Any) -> dict[str, float]:
    if not isinstance(voice, Mapping) or not all(
        isinstance(name, str) and isinstance(share, int | float) and not isinstance(share, bool)
        for name, share in voice.items()
    ):
        raise UnsupportedInput(f"A voice is a name, or a mapping of names to shares; got {voice!r}.")
    return {name: float(share) for name, share in voice.items()}
