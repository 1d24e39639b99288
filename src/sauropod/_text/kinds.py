"""What kinds of value a tool's arguments may have, as far as its schema says, and raw text read as such."""

from __future__ import annotations

import ast
import json
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs

from sauropod._values.messages import Tool

__all__ = ["ANY", "Known", "decoded", "kind_of", "referred"]

ANY = frozenset({"string", "number", "boolean", "null", "array", "object"})

MOST_REFERENCES = 16
"""That are followed one after another."""


@attrs.frozen
class Known:
    """What is known of a value: a part of a tool's schema."""

    schema: Any
    root: Mapping[str, Any]
    """The whole, to which a part may refer."""

    @classmethod
    def of(cls, tool: Tool | None) -> Known:
        """Of all arguments of a tool."""
        parameters = tool.parameters if tool is not None else {}
        return cls(parameters, parameters)

    def under(self, key: str) -> Known:
        """Of an object's value by its key; nothing, if the schema does not say."""
        for schema in self._alternatives(self.schema, MOST_REFERENCES):
            for keyword in ("properties", "additionalProperties"):
                inner = schema.get(keyword)
                inner = inner.get(key) if keyword == "properties" and isinstance(inner, Mapping) else inner
                if isinstance(inner, Mapping):
                    return Known(inner, self.root)
        return Known({}, self.root)

    def item(self) -> Known:
        """Of what is in a list; nothing, if the schema does not say."""
        for schema in self._alternatives(self.schema, MOST_REFERENCES):
            if isinstance(schema.get("items"), Mapping):
                return Known(schema["items"], self.root)
        return Known({}, self.root)

    @property
    def kinds(self) -> frozenset[str]:
        """The kinds of value it may be; all of them where nothing is known."""
        return _kinds(self.schema, self.root, MOST_REFERENCES)

    def allows(self, value: Any) -> bool:
        """Whether a value that is no text may be valid, as far as can be told from what it is by itself."""
        return _allows(self.schema, self.root, value, MOST_REFERENCES)

    def _alternatives(self, schema: Any, left: int) -> Iterator[Mapping[str, Any]]:
        """The schema, and those that may apply beside it."""
        if not isinstance(schema, Mapping) or not left:
            return
        yield schema
        if isinstance(schema.get("$ref"), str):
            yield from self._alternatives(referred(schema["$ref"], self.root), left - 1)
        for keyword in ("anyOf", "oneOf", "allOf"):
            for each in schema.get(keyword) or ():
                yield from self._alternatives(each, left - 1)


def _kinds(schema: Any, root: Mapping[str, Any], left: int) -> frozenset[str]:
    if not isinstance(schema, Mapping) or not left:
        return ANY
    kinds = ANY
    if isinstance(schema.get("$ref"), str):
        kinds &= _kinds(referred(schema["$ref"], root), root, left - 1)
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


def _allows(schema: Any, root: Mapping[str, Any], value: Any, left: int) -> bool:
    if not isinstance(schema, Mapping) or not left:
        return schema is not False
    if isinstance(schema.get("$ref"), str) and not _allows(referred(schema["$ref"], root), root, value, left - 1):
        return False
    if kind_of(value) not in _kinds(schema, root, left):
        return False
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    if isinstance(values, list) and not any(kind_of(each) == kind_of(value) and each == value for each in values):
        return False
    if kind_of(value) == "number" and not _within(schema, value):
        return False
    for keyword in ("anyOf", "oneOf"):
        branches = schema.get(keyword)
        if isinstance(branches, list) and not any(_allows(each, root, value, left - 1) for each in branches):
            return False
    return all(_allows(each, root, value, left - 1) for each in schema.get("allOf") or ())


_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": operator.ge,
    "maximum": operator.le,
    "exclusiveMinimum": operator.gt,
    "exclusiveMaximum": operator.lt,
}


def _within(schema: Mapping[str, Any], number: float) -> bool:
    if schema.get("type") == "integer" and not float(number).is_integer():
        return False
    bounds = ((fits, schema[name]) for name, fits in _BOUNDS.items() if isinstance(schema.get(name), int | float))
    return all(fits(number, bound) for fits, bound in bounds)


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


def decoded(text: str, kinds: frozenset[str], known: Known | None = None) -> Any:
    """A value that was written without quotes, as one of these kinds; a text if it is none of them, or if that would
    not be valid and a text may be."""
    if kinds != {"string"}:
        for read in (json.loads, ast.literal_eval):  # a template that writes a dict as Python does teaches that
            try:
                value = _plain(read(text.strip()))
            except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
                continue
            if kind_of(value) in kinds and ("string" not in kinds or known is None or known.allows(value)):
                return value
    return text


def _plain(value: Any) -> Any:
    """The same, if JSON has it. Raises `ValueError` if not."""
    return json.loads(json.dumps(value, allow_nan=False))
