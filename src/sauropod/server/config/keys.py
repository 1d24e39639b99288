"""Keys: fields of settings that a configuration can set, with what they take and mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import attrs

from sauropod.server.config.errors import ConfigurationError, Fault
from sauropod.server.config.kinds import Kind

__all__ = ["AnyKind", "Key", "Table", "Tables", "key", "keys_of", "problem_with"]

HIDDEN = "***"


@attrs.frozen
class Table:
    """A table with the keys of `part`."""

    part: type[Any]


@attrs.frozen
class Tables:
    """Tables by name, each with the keys of `part`. A value in place of one of them is that of its key `short`.

    `named` are values of keys that are not given, by the table's name. `check` raises `ValueError` for bad names.
    """

    part: type[Any]
    short: str
    named: Callable[[str], Mapping[str, Any]]
    check: Callable[[str], None]


AnyKind: TypeAlias = Kind | Table | Tables


@attrs.frozen
class Key:
    """What is known of a key besides its name. `default` says it for people, where the value would not."""

    kind: AnyKind
    about: str
    aliases: tuple[str, ...] = ()
    default: str = ""


def key(
    kind: AnyKind,
    about: str,
    *,
    default: Any = attrs.NOTHING,
    factory: Callable[[], Any] | None = None,
    aliases: tuple[str, ...] = (),
    says: str = "",
    show: Callable[[Any], str] = repr,
) -> Any:
    """A field that is a key. Whoever makes the settings may give it what the configuration could; else they raise
    `ConfigurationError`."""
    hides = isinstance(kind, Kind) and kind.secret
    return attrs.field(
        default=default if factory is None else attrs.Factory(factory),
        converter=attrs.Converter(_converted, takes_field=True),
        repr=(lambda value: HIDDEN if value else repr(value)) if hides else show,
        metadata={Key: Key(kind, about, aliases, says)},
    )


def keys_of(part: type[Any]) -> Mapping[str, Key]:
    """The keys of a table by name, in the order in which they are explained."""
    return {field.name: field.metadata[Key] for field in attrs.fields(part) if Key in field.metadata}


def problem_with(kind: Kind, value: Any, error: ValueError) -> str:
    """What to say of a value that `kind.check` refused."""
    got = "" if kind.secret else f"; got {_short(value)}"
    more = f" ({error})" if str(error) else ""
    return f"must be {kind.what}{got}{more}"


def _converted(value: Any, field: attrs.Attribute[Any]) -> Any:
    kind = field.metadata[Key].kind
    if value is None and field.default is None:
        return None
    try:
        return kind.check(value) if isinstance(kind, Kind) else _checked_part(kind, value)
    except ConfigurationError as error:
        raise ConfigurationError(fault.within((field.name,)) for fault in error.faults) from None
    except ValueError as error:
        said = problem_with(kind, value, error) if isinstance(kind, Kind) else str(error)
        raise ConfigurationError([Fault(said, (field.name,))]) from None


def _checked_part(kind: Table | Tables, value: Any) -> Any:
    if isinstance(kind, Table):
        if not isinstance(value, kind.part):
            raise ValueError(f"must be {kind.part.__name__}; got {type(value).__name__}")
        return value
    if not isinstance(value, Mapping) or not all(isinstance(each, kind.part) for each in value.values()):
        raise ValueError(f"must be a mapping of names to {kind.part.__name__}; got {_short(value)}")
    for name in value:
        kind.check(name)
    return dict(value)


def _short(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= 80 else f"{shown[:60]}…"
