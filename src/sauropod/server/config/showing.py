"""Showing settings: as TOML, and as the lines that begin a log. Secrets are masked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sauropod.server.config.errors import Path, dotted, quoted
from sauropod.server.config.keys import HIDDEN
from sauropod.server.config.naming import source_text
from sauropod.server.config.reading import written

if TYPE_CHECKING:
    from sauropod.server.config.settings import Settings

__all__ = ["hidden_password", "lines", "toml", "toml_value"]

_SECRET = re.compile("key|token|secret|password", re.IGNORECASE)
_PASSWORD = re.compile(r"(://[^:/?#]*:)(.*)(?=@)|([?&](?:password|sslpassword)=)([^&]*)")


def hidden_password(url: str) -> str:
    """A database's URL as anybody may read it."""
    return _PASSWORD.sub(lambda found: f"{found[1] or found[3]}{HIDDEN}", url)


def toml(settings: Settings) -> str:
    """The settings in effect, with where each was set if it was."""
    table = _masked(settings)
    return "".join(_tables(table, (), settings.origins)).lstrip("\n")


def lines(settings: Settings) -> list[str]:
    """What the log says of them."""
    files = list(dict.fromkeys(settings.origins.values()))
    models = [f"{name} ({source_text(model.source)})" for name, model in settings.models.items()]
    hearing = settings.stt_model
    count = len(settings.authentication.keys)
    asked = f"{count} API {'key opens' if count == 1 else 'keys open'} it" if count else "no API key is asked for"
    return [
        f"Configuration: {', '.join(files)}" if files else "Configuration: none was read",
        f"Database: {hidden_password(settings.database)}",
        f"Authentication: {asked}",
        f"Models: {', '.join(models)}",
        f"Voices: {', '.join(settings.voices)}",
        f"Ears: {'none' if hearing is None else source_text(hearing.source or hearing.type or 'the default')}",
    ]


def _masked(settings: Settings) -> dict[str, Any]:
    table = written(settings)
    table["database"] = hidden_password(table["database"])
    for model in table["models"].values():
        for name in filter(_SECRET.search, model.get("options", {})):
            model["options"][name] = HIDDEN
    if "keys" in table["authentication"]:
        table["authentication"]["keys"] = [HIDDEN for _ in settings.authentication.keys]
    return table


def _tables(table: Mapping[str, Any], path: Path, origins: Mapping[Path, str]) -> list[str]:
    """The table's own values, then the tables in it."""
    found = [f"\n[{dotted(path)}]\n"] if path and not _holds_tables(path) else []
    inner = []
    for name, value in table.items():
        here = (*path, name)
        if isinstance(value, dict) and _is_table(here):
            inner += _tables(value, here, origins)
        else:
            comment = f"  # {_in_a_line(origins[here])}" if here in origins else ""
            found.append(f"{dotted((name,))} = {toml_value(value)}{comment}\n")
    return found + inner


SPEECH = ("stt_model", "vad_model", "turn_detector_model")
"""Keys of which a table is a value."""


def _is_table(path: Path) -> bool:
    """Whether it has a head of its own, rather than being a value."""
    return path[0] not in SPEECH and len(path) <= (2 if _holds_tables(path[:1]) else 1)


def _holds_tables(path: Path) -> bool:
    return path in (("models",), ("voices",))


def toml_value(value: Any) -> str:
    """A value in one line, as TOML has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, Mapping):
        inner = ", ".join(f"{dotted((name,))} = {toml_value(each)}" for name, each in value.items())
        return f"{{{inner}}}"
    return repr(value) if isinstance(value, int | float) else str(value)  # the others are dates and times


def _in_a_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text)
