"""Wordings: the ways to say something that fills in values, apart for training and for measuring."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .phrasing import vary
from .questions import expand_all, fill

DIRECTORY = Path(__file__).parent / "data" / "turns"


@dataclass(frozen=True)
class Wordings:
    """Patterns with `{slots}`. Those held back are said only where `measuring`."""

    trained: tuple[str, ...]
    held_back: tuple[str, ...] = ()

    def say(self, values: Mapping[str, str], rng: random.Random, *, measuring: bool = False) -> str:
        """One pattern, varied and filled: as it stands where `measuring`."""
        if measuring and self.held_back:
            return fill(rng.choice(self.held_back), values)
        pattern = vary(rng.choice(self.trained), rng, shout=False)
        return fill(pattern, values)


@cache
def document(name: str) -> dict[str, Any]:
    """A file of turns as it stands. Not to be changed."""
    return tomllib.loads((DIRECTORY / f"{name}.toml").read_text("utf-8"))


@cache
def dialogue(table: str) -> Wordings:
    """The wordings of one table of `data/turns/dialogue.toml`."""
    return wordings(document("dialogue")[table])


def wordings(table: Mapping[str, Any]) -> Wordings:
    """The wordings of a table with `asked` and `held_back`."""
    return Wordings(expand_all(table["asked"]), expand_all(table.get("held_back", ())))
