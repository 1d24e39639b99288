"""Reading: from values under their full names to settings, or to all that is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import attrs

from sauropod.server.config.errors import ConfigurationError, Fault, Path
from sauropod.server.config.keys import Table, Tables, keys_of, problem_with
from sauropod.server.config.kinds import Kind
from sauropod.server.config.layers import Given, Layer

__all__ = ["read", "read_table", "written"]

T = TypeVar("T")


def read(part: type[T], values: Mapping[Path, Given], faults: Sequence[Fault] = (), **more: Any) -> T:
    """An instance of `part` with these values. Raises `ConfigurationError` with `faults` and all that it finds.

    `more` are fields that are no keys.
    """
    reader = _Reader(values, list(faults))
    found: T | None = reader.table(part, (), more)
    if found is None or reader.faults:
        raise ConfigurationError(reader.faults)
    return found


def read_table(part: type[T], table: Mapping[str, Any]) -> T:
    """The same from one table."""
    layer = Layer(part)
    layer.add(table, "")
    return read(part, layer.values, layer.faults)


def written(part: Any) -> dict[str, Any]:
    """What a TOML table would have for it. Left out is what is None, for which it has no word, or empty by default."""
    found = {}
    for name, key in keys_of(type(part)).items():
        value = getattr(part, name)
        if isinstance(key.kind, Table):
            found[name] = written(value)
        elif isinstance(key.kind, Tables):
            found[name] = {each: written(table) for each, table in value.items()}
        elif (plain := key.kind.write(value)) is not None and not _is_empty_anyway(part, name, plain):
            found[name] = plain
    return found


def _is_empty_anyway(part: Any, name: str, plain: Any) -> bool:
    """Whether it is an empty list or table, and is so by default."""
    default = attrs.fields_dict(type(part))[name].default
    return plain in ([], {}) and (default == () or getattr(default, "factory", None) is dict)


@attrs.define
class _Reader:
    values: Mapping[Path, Given]
    faults: list[Fault]

    def table(self, part: type[Any], path: Path, more: Mapping[str, Any]) -> Any:
        """An instance of `part`, or None where something in it is wrong."""
        before = len(self.faults)
        found = dict(more)
        for name, key in keys_of(part).items():
            here = (*path, name)
            if isinstance(key.kind, Table) and self._anything(here):
                found[name] = self.table(key.kind.part, here, {})
            elif isinstance(key.kind, Tables) and self._anything(here):
                found[name] = self._tables(key.kind, here)
            elif isinstance(key.kind, Kind) and here in self.values:
                found[name] = self._value(key.kind, here)
        return None if len(self.faults) > before else self._made(part, found, path)

    def _tables(self, kind: Tables, path: Path) -> dict[str, Any]:
        depth = len(path)
        names = dict.fromkeys(each[depth] for each in self.values if each[:depth] == path and len(each) > depth)
        return {name: self.table(kind.part, (*path, name), kind.named(name)) for name in names}

    def _value(self, kind: Kind, path: Path) -> Any:
        given = self.values[path]
        try:
            return kind.check(given.value)
        except ConfigurationError as error:
            self.faults += [fault.within(path, given.origin) for fault in error.faults]
        except ValueError as error:
            self.faults.append(Fault(problem_with(kind, given.value, error), path, given.origin))
        return None

    def _made(self, part: type[Any], values: Mapping[str, Any], path: Path) -> Any:
        try:
            return part(**values)
        except ConfigurationError as error:
            self.faults += [fault.within(path, self._origin((*path, *fault.path))) for fault in error.faults]
        return None

    def _anything(self, path: Path) -> bool:
        return any(each[: len(path)] == path for each in self.values)

    def _origin(self, path: Path) -> str:
        """Where the key is set, or the nearest that is set around it."""
        for end in range(len(path), 0, -1):
            near = next((each for each in self.values if each[:end] == path[:end]), None)
            if near is not None:
                return self.values[near].origin
        return ""
