"""Names of models: a text in any form of docs/models.md, or a table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

from sauropod.server.config.kinds import Kind, parsed

__all__ = ["SOURCE", "SOURCE_KEYS", "Source", "source_text"]

Source: TypeAlias = str | Mapping[str, str]
"""What `sauropod.Engine` takes as a model's name, as TOML can write it."""

SOURCE_KEYS = ("repo", "quantization", "file", "revision", "path")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _checked(value: Any) -> Source:
    if isinstance(value, str):
        return _name(value)
    if not isinstance(value, Mapping):
        raise ValueError
    for key in value:
        if key not in SOURCE_KEYS:
            raise ValueError(f"{key!r} is not one of {', '.join(SOURCE_KEYS)}")
    _check_together(value)
    return {key: _name(each) for key, each in value.items()}


def _check_together(table: Mapping[str, Any]) -> None:
    if ("repo" in table) == ("path" in table):
        raise ValueError("it needs either a repo or a path")
    if "path" in table and not table.keys() <= {"path", "quantization"}:
        raise ValueError("with a path there can only be a quantization")
    if "file" in table and "quantization" in table:
        raise ValueError("a file and a quantization are two answers to one question")


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or _CONTROL.search(value) or len(value) > 4096:
        raise ValueError("a name is a text of one line, and not empty")
    value.encode()
    return value.strip()


def _parse(text: str) -> Any:
    return parsed(text) if text.lstrip().startswith("{") else text


def source_text(source: Source) -> str:
    """The name in one line. Of a directory's quantisation, which no text can name, it says both."""
    if isinstance(source, str):
        return source
    if "path" in source:
        return source["path"] + (f" ({source['quantization']})" if "quantization" in source else "")
    revision = f"@{source['revision'].replace('/', '%2F')}" if "revision" in source else ""
    chosen = f"/{source['file']}" if "file" in source else f":{source.get('quantization', '')}".rstrip(":")
    return f"hf:{source['repo'].removeprefix('hf:')}{revision}{chosen}"


SOURCE = Kind(
    "model",
    'a model\'s name such as "org/repo:Q4_K_M" or "./model.gguf", or a table such as '
    '{repo = "org/repo", quantization = "Q4_K_M"}, {repo = …, file = …} or {path = …}',
    _checked,
    _parse,
    write=lambda value: dict(value) if isinstance(value, Mapping) else value,
)
