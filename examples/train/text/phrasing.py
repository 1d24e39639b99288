"""Phrasing: the small ways in which people say the same thing."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PATH = Path(__file__).parent / "data" / "turns" / "phrasing.toml"


@dataclass(frozen=True)
class Habits:
    """What people put before, after and into what they say, leave out, shorten and spell otherwise."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    fillers: tuple[str, ...]
    small: frozenset[str]
    short: Mapping[str, str]
    american: Mapping[str, str]


@cache
def habits() -> Habits:
    """Those of `data/turns/phrasing.toml`."""
    table = tomllib.loads(PATH.read_text("utf-8"))
    return Habits(
        before=tuple(table["before"]),
        after=tuple(table["after"]),
        fillers=tuple(table["fillers"]),
        small=frozenset(table["small"]),
        short=table["short"],
        american=table["american"],
    )


def vary(text: str, rng: random.Random, *, frames: bool = True, shout: bool = True) -> str:
    """`text` as someone else would type it: framed, contracted, without capitals or marks, a word more or less.

    With `frames` false only case, marks and contractions change: greetings are not framed. Slots
    such as `{x}` survive where it does not `shout`.
    """
    if rng.random() < 0.3:
        return text
    if rng.random() < 0.3:
        text = _contracted(text)
    if rng.random() < 0.1:
        text = _respelled(text)
    if frames and rng.random() < 0.12:
        text = _without_a_small_word(text, rng)
    if frames and rng.random() < 0.1:
        text = _with_a_filler(text, rng.choice(habits().fillers), rng)
    if frames and rng.random() < 0.3:
        text = _framed(text, rng)
    if rng.random() < 0.35:
        text = text.rstrip("?.!")
    elif rng.random() < 0.15:
        text = text.rstrip("?.!") + rng.choice(("?", ".", "!", "??", "..."))
    if rng.random() < 0.35:
        text = text.lower()
    elif shout and rng.random() < 0.02:
        text = text.upper()
    return text


def _contracted(text: str) -> str:
    for long, short in habits().short.items():
        text = text.replace(long, short)
    return text


def _respelled(text: str) -> str:
    for british, american in habits().american.items():
        text = re.sub(rf"(?<!{{)\b{british}", american, text)
    return text


def _without_a_small_word(text: str, rng: random.Random) -> str:
    parts = text.split(" ")
    small = [at for at, word in enumerate(parts) if word.lower() in habits().small]
    if not small or len(parts) < 4:
        return text
    del parts[rng.choice(small)]
    return " ".join(parts)


def _with_a_filler(text: str, filler: str, rng: random.Random) -> str:
    parts = text.split(" ")
    slots = [at for at, word in enumerate(parts) if "{" in word]
    parts.insert(rng.randint(0, min(slots, default=len(parts))), filler)
    return " ".join(parts)


def _framed(text: str, rng: random.Random) -> str:
    if rng.random() < 0.6 or text.endswith("}"):
        before = rng.choice(habits().before)
        first = text.split(" ", 1)[0]
        keep = (
            first in ("I", "I'm", "I'd")
            or not first[:1].isupper()
            or not before.endswith((", ", "Please ", "And ", "Now "))
        )
        return before + (text if keep else text[0].lower() + text[1:])
    mark = text[-1:] if text.endswith(("?", ".", "!")) else ""
    return re.sub(r"[?.!]$", "", text) + rng.choice(habits().after) + mark
