"""ConfigurationError: all that is wrong with a configuration, each fault with its key and where it was written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import TypeAlias

import attrs

from sauropod.errors import SauropodError

__all__ = ["ConfigurationError", "Fault", "Path", "dotted", "quoted"]

Path: TypeAlias = tuple[str, ...]
"""A key's full name: `("models", "llama", "temperature")`."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def dotted(path: Path) -> str:
    """The path as TOML writes it: `models."qwen2.5".temperature`."""
    return ".".join(part if _BARE.fullmatch(part) else quoted(part) for part in path)


def quoted(text: str) -> str:
    """The text as TOML writes it: as JSON does, but for one more character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@attrs.frozen
class Fault:
    """One thing that is wrong. `problem` goes on after the key's name; `origin` is a file, a variable or a flag."""

    problem: str
    path: Path = ()
    origin: str = ""

    def __str__(self) -> str:
        said = " ".join(filter(None, [dotted(self.path), self.problem]))
        sentence = said if said.endswith((".", "?")) else f"{said}."
        return f"{self.origin}: {sentence}" if self.origin else sentence

    def within(self, path: Path, origin: str = "") -> Fault:
        """The same fault, seen from a table that has the faulty one at `path`."""
        return attrs.evolve(self, path=(*path, *self.path), origin=self.origin or origin)


class ConfigurationError(SauropodError, ValueError):
    """The configuration cannot be meant. `faults` are all that were found, `str()` of it says them all."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__(*self.faults)

    def __str__(self) -> str:
        if len(self.faults) == 1:
            return str(self.faults[0])
        return "\n".join([f"The configuration has {len(self.faults)} faults.", *(f"  {each}" for each in self.faults)])
