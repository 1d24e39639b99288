"""A layer: what one source says, every value under its full name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import attrs

from sauropod.server.config.errors import Fault, Path, dotted
from sauropod.server.config.keys import AnyKind, Key, Table, Tables, keys_of
from sauropod.server.config.kinds import Kind, parsed

__all__ = ["Assignment", "Given", "Layer", "Unread"]


@attrs.frozen
class Unread:
    """A text of which only the key knows what value it stands for."""

    text: str


@attrs.frozen
class Assignment:
    """One key's value as a variable or a flag has it."""

    path: Path
    text: str
    origin: str


@attrs.frozen
class Given:
    """A value and where it was written."""

    value: Any
    origin: str


@attrs.define
class Layer:
    """Values by the full names of their keys, and what could not be such a value.

    `root` is what has the keys. `known` are full names of tables that may be meant by names in other letters:
    a variable's name cannot say `gpt-oss`.
    """

    root: type[Any]
    known: Collection[Path] = ()
    values: dict[Path, Given] = attrs.field(factory=dict)
    faults: list[Fault] = attrs.field(factory=list)

    def add(self, table: Mapping[str, Any], origin: str) -> None:
        """All of a table, such as a file has it."""
        self._table(self.root, table, (), origin)

    def assign(self, assignments: Iterable[Assignment]) -> None:
        """Values one by one, as variables and flags have them."""
        for each in assignments:
            value: Any = Unread(each.text)
            for part in reversed(each.path):
                value = {part: value}
            self.add(value, each.origin)

    def _table(self, part: type[Any], table: Mapping[str, Any], path: Path, origin: str) -> None:
        names = {alias: name for name, key in keys_of(part).items() for alias in (name, *key.aliases)}
        for given, value in table.items():
            if given in names:
                self._value(keys_of(part)[names[given]].kind, value, (*path, names[given]), origin)
            else:
                self.faults.append(Fault(_unknown(self.root, names, path, given), (*path, given), origin))

    def _value(self, kind: AnyKind, value: Any, path: Path, origin: str) -> None:
        if isinstance(kind, Kind):
            self._put(path, Given(_plain(kind, value), origin))
            return
        if isinstance(value, Unread):
            value = parsed(value.text)
        if not isinstance(value, Mapping):
            self.faults.append(Fault(f"must be a table; got {type(value).__name__}", path, origin))
        elif isinstance(kind, Table):
            self._table(kind.part, value, path, origin)
        else:
            for name, each in value.items():
                self._named(kind, each, (*path, self._meant(path, name)), origin)

    def _named(self, kind: Tables, value: Any, path: Path, origin: str) -> None:
        if isinstance(value, Unread) and value.text.lstrip().startswith("{"):
            value = parsed(value.text)
        self._put(path, Given({}, origin))
        table = value if isinstance(value, Mapping) else {kind.short: value}
        self._table(kind.part, table, path, origin)

    def _meant(self, path: Path, name: str) -> str:
        tables = [each[-1] for each in self.known if each[:-1] == path]
        return name if name in tables else next((each for each in tables if _folded(each) == _folded(name)), name)

    def _put(self, path: Path, given: Given) -> None:
        before = self.values.get(path)
        if before is None:
            self.values[path] = given
        elif isinstance(before.value, dict) and isinstance(given.value, dict):
            self.values[path] = Given({**before.value, **given.value}, before.origin)
        else:
            other = "another name" if before.origin == given.origin else before.origin
            self.faults.append(Fault(f"is given twice, here and by {other}. Leave one of them out", path, given.origin))


def _plain(kind: Kind, value: Any) -> Any:
    """The value as TOML would have had it."""
    if isinstance(value, Unread):
        return kind.parse(value.text)
    if isinstance(value, Mapping):
        return {name: _within(kind, each) for name, each in value.items()}
    return value


def _within(kind: Kind, value: Any) -> Any:
    if not isinstance(value, Unread):
        return value
    return kind.item.parse(value.text) if kind.item is not None else value.text


def _folded(name: str) -> str:
    return re.sub(r"\W", "_", name.casefold())


def _unknown(root: type[Any], names: Collection[str], path: Path, given: str) -> str:
    near = difflib.get_close_matches(_folded(given), names, n=1, cutoff=0.6)
    if near:
        return f"is not a key. Did you mean {dotted((*path, near[0]))}?"
    elsewhere = [dotted((*place, given)) for place, keys in _tables(root) if given in keys]
    if elsewhere:
        return f"is not a key. There is {' and '.join(elsewhere)}."
    return f"is not a key. There are {', '.join(names)}."


def _tables(part: type[Any], path: Path = ()) -> Iterable[tuple[Path, Mapping[str, Key]]]:
    """All tables, with what their keys are."""
    yield path, keys_of(part)
    for name, key in keys_of(part).items():
        if isinstance(key.kind, Table):
            yield from _tables(key.kind.part, (*path, name))
        elif isinstance(key.kind, Tables):
            yield from _tables(key.kind.part, (*path, name, "NAME"))
