"""The tables of keys in docs/configuration.md. `python tests/server/config/tables.py` writes them anew."""

from __future__ import annotations

from pathlib import Path

import attrs

from sauropod.server.config import (
    Authentication,
    Cors,
    HearingSettings,
    Limits,
    ModelSettings,
    Realtime,
    Retention,
    Settings,
    VoiceSettings,
)
from sauropod.server.config.keys import Key, keys_of
from sauropod.server.config.kinds import Kind
from sauropod.server.config.showing import toml_value

__all__ = ["PAGE", "PARTS", "renewed"]

PAGE = Path(__file__).parents[3] / "docs" / "configuration.md"

PARTS: tuple[type, ...] = (
    Settings,
    ModelSettings,
    VoiceSettings,
    HearingSettings,
    Authentication,
    Cors,
    Limits,
    Realtime,
    Retention,
)


def renewed(page: str) -> str:
    """The page with all its tables as they ought to be."""
    for part in PARTS:
        begin, end = f"<!-- keys of {part.__name__} -->\n", "<!-- end of keys -->"
        before, found, rest = page.partition(begin)
        assert found, f"the page has no place for the keys of {part.__name__}"
        page = f"{before}{begin}\n{table_of(part)}\n{end}{rest.partition(end)[2]}"
    return page


def table_of(part: type) -> str:
    rows = ["| Key | Takes | Default | |", "| --- | --- | --- | --- |"]
    for name, key in keys_of(part).items():
        names = " or ".join(f"`{each}`" for each in (name, *key.aliases))
        rows.append(f"| {names} | {_takes(key)} | {_default(part, name, key)} | {key.about} |")
    return "\n".join(rows) + "\n"


def _takes(key: Key) -> str:
    return key.kind.name if isinstance(key.kind, Kind) else "a table" if not hasattr(key.kind, "short") else "tables"


def _default(part: type, name: str, key: Key) -> str:
    default = attrs.fields_dict(part)[name].default
    if key.default or not isinstance(key.kind, Kind):
        return key.default
    if isinstance(default, attrs.Factory) or default is None or default == ():  # type: ignore[arg-type]
        return "none"
    return f"`{toml_value(key.kind.write(default))}`"


if __name__ == "__main__":
    PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
