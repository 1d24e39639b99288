"""What kinds of value a tool's arguments may have, as far as its schema says, and raw text read as such."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from typing import Any

from sauropod._values.messages import Tool

__all__ = ["ANY", "decoded", "kind_of", "kinds_of", "referred"]

ANY = frozenset({"string", "number", "boolean", "null", "array", "object"})

MOST_REFERENCES = 16
"""That are followed one after another."""


def kinds_of(tool: Tool | None, key: str) -> frozenset[str]:
    """The kinds of value an argument may have; all of them where nothing is known."""
    schema = tool.parameters if tool is not None else {}
    properties = schema.get("properties")
    inner = properties.get(key) if isinstance(properties, Mapping) else None
    return _kinds(inner, schema, MOST_REFERENCES)


def _kinds(schema: Any, root: Mapping[str, Any], left: int) -> frozenset[str]:
    if not isinstance(schema, Mapping) or not left:
        return ANY
    if isinstance(schema.get("$ref"), str):
        return _kinds(referred(schema["$ref"], root), root, left - 1)
    kinds = ANY
    if "type" in schema:
        types = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        kinds &= {"number" if each == "integer" else each for each in types}
    if "const" in schema:
        kinds &= {kind_of(schema["const"])}
    if isinstance(schema.get("enum"), list):
        kinds &= {kind_of(each) for each in schema["enum"]}
    for keyword in ("anyOf", "oneOf"):
        if isinstance(schema.get(keyword), list):
            kinds &= frozenset[str]().union(*(_kinds(each, root, left - 1) for each in schema[keyword]))
    for each in schema.get("allOf") or ():
        kinds &= _kinds(each, root, left - 1)
    return kinds or ANY


def referred(reference: str, root: Any) -> Any:
    """What `#/a/b` refers to in a schema; None if it is not there."""
    for step in reference.removeprefix("#").split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        root = root.get(name) if isinstance(root, Mapping) else None
    return root


def kind_of(value: Any) -> str:
    """The kind of a value, as JSON schemas name it."""
    if value is None:
        return "null"
    for types, kind in ((bool, "boolean"), (int | float, "number"), (str, "string"), (Mapping, "object")):
        if isinstance(value, types):
            return kind
    return "array"


def decoded(text: str, kinds: frozenset[str]) -> Any:
    """A value that was written without quotes, as one of these kinds; a text if it is none of them."""
    if kinds != {"string"}:
        for read in (json.loads, ast.literal_eval):  # a template that writes a dict as Python does teaches that
            try:
                value = _plain(read(text.strip()))
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
            if kind_of(value) in kinds:
                return value
    return text


def _plain(value: Any) -> Any:
    """The same, if JSON has it. Raises `ValueError` if not."""
    return json.loads(json.dumps(value, allow_nan=False))
