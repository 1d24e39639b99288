"""What a text must be: a `Grammar`."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Self

import attrs

from sauropod._values.checks import is_text, kind, listed
from sauropod.errors import InvalidGrammar

__all__ = ["ANNOTATIONS", "Grammar", "GrammarKind"]

MAX_CHARACTERS = 256 * 1024
"""Of a grammar as text."""

MAX_DEPTH = 64
"""How deep a schema may be nested, in dicts and lists."""


ANNOTATIONS = frozenset(
    {
        *("$schema", "$id", "id", "$comment", "$anchor", "$defs", "definitions", "title", "description"),
        *("default", "examples", "deprecated", "readOnly", "writeOnly", "discriminator"),
    }
)
"""Keywords of a JSON schema that restrict nothing by themselves. Vendors' own, which begin with `x-`, do not either."""


class GrammarKind(StrEnum):
    """How a grammar is written."""

    JSON_SCHEMA = "json_schema"
    REGEX = "regex"
    LARK = "lark"
    GBNF = "gbnf"
    CHOICE = "choice"


@attrs.frozen
class Grammar:
    """What a text must be. Made by one of the class methods, which raise `InvalidGrammar`.

    The model's backend reads it before the first token, and raises `InvalidGrammar` for what it cannot enforce in
    full: nothing is left out in silence.
    """

    kind: GrammarKind = attrs.field(validator=kind(InvalidGrammar, GrammarKind))
    text: str = attrs.field(repr=lambda text: repr(text) if len(text) <= 80 else f"{text[:60]!r}…")
    """As the kind says: a schema or a list of choices as JSON, or the grammar itself."""
    parts: Sequence[tuple[str, Grammar]] = attrs.field(default=())
    """Grammars that a grammar in Lark refers to, with their names: `@name`."""

    @parts.validator
    def _named(self, _: attrs.Attribute[Any], parts: Sequence[tuple[str, Grammar]]) -> None:
        for name, part in parts:
            if not re.fullmatch(r"[a-z][a-z0-9_]*", str(name)) or not isinstance(part, Grammar):
                raise InvalidGrammar(f"The parts of a grammar are Grammars with names of small letters; got {name!r}.")
            if part.parts:
                raise InvalidGrammar(f"The part {name!r} has parts of its own, which cannot be. Put them side by side.")

    @text.validator
    def _usable(self, _: attrs.Attribute[Any], text: str) -> None:
        if not is_text(text):
            raise InvalidGrammar(f"A grammar of the kind {self.kind} is a text; got {type(text).__name__}.")
        if len(text) > MAX_CHARACTERS:
            raise InvalidGrammar(
                f"The grammar has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed. Make it smaller."
            )

    @classmethod
    def json_schema(cls, schema: Mapping[str, Any] | bool) -> Self:
        """A JSON text that is valid under a schema (draft 2020-12), with its properties in the schema's order.

        It is written as Python writes JSON, on one line with a blank after each comma and colon. `"x-guidance"` in
        the schema may say otherwise: `item_separator` and `key_separator`, such as `","` and `":"`, or
        `whitespace_flexible`.
        """
        if not isinstance(schema, Mapping | bool):
            raise InvalidGrammar(f"A schema is a dict; got {type(schema).__name__}.")
        return cls(GrammarKind.JSON_SCHEMA, _as_json(schema))

    @classmethod
    def json_object(cls) -> Self:
        """Any JSON object."""
        return cls.json_schema({"type": "object"})

    @classmethod
    def regex(cls, pattern: str) -> Self:
        """A text that a regular expression matches as a whole, in the syntax of Rust's `regex`: no look-around, no
        references to groups."""
        return cls(GrammarKind.REGEX, pattern)

    @classmethod
    def lark(cls, text: str, parts: Mapping[str, Grammar] | None = None) -> Self:
        """A grammar in llguidance's form of Lark, that begins at the rule `start`.

        `parts` are grammars of any kind that it refers to, as `@name`.
        """
        return cls(GrammarKind.LARK, text, tuple((parts or {}).items()))

    @classmethod
    def gbnf(cls, text: str) -> Self:
        """A grammar as llama.cpp writes it, that begins at the rule `root`."""
        return cls(GrammarKind.GBNF, text)

    @classmethod
    def choice(cls, choices: Iterable[str]) -> Self:
        """One of these texts."""
        texts = listed(choices, InvalidGrammar, "choices", "strings", is_text)
        if not texts:
            raise InvalidGrammar("There is nothing to choose from: choices is empty. Give at least one.")
        return cls(GrammarKind.CHOICE, json.dumps(list(dict.fromkeys(texts)), ensure_ascii=False))


def _as_json(schema: Any) -> str:
    _refuse_what_is_no_json(schema)
    return json.dumps(_plain(schema), ensure_ascii=False, allow_nan=False)


def _refuse_what_is_no_json(schema: Any) -> None:
    """Walks without recursion, so that the deepest schema costs no more than an error."""
    pending: list[tuple[Any, int]] = [(schema, 0)]
    size = 0
    while pending:
        value, depth = pending.pop()
        size += 1 + (len(value) if isinstance(value, str) else 0)
        if depth > MAX_DEPTH:
            raise InvalidGrammar(f"The schema is nested more than {MAX_DEPTH} deep. Use $ref, or a flatter schema.")
        if size > MAX_CHARACTERS:
            raise InvalidGrammar(f"The schema is larger than {MAX_CHARACTERS:,} characters. Make it smaller.")
        if isinstance(value, Mapping):
            _require(all(is_text(name) for name in value), "a key that is no text")
            pending += [(each, depth + 1) for each in value.values()]
        elif isinstance(value, list | tuple):
            pending += [(each, depth + 1) for each in value]
        else:
            _require(
                _is_scalar(value), f"a value of type {type(value).__name__} that JSON does not have, or not like that"
            )


def _is_scalar(value: Any) -> bool:
    if isinstance(value, float):
        return value == value and abs(value) != float("inf")
    if isinstance(value, int) and not isinstance(value, bool):
        return value.bit_length() <= 1024
    return value is None or isinstance(value, bool) or is_text(value)


def _plain(value: Any) -> Any:
    """The same in dicts and lists."""
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _require(condition: bool, found: str) -> None:
    if not condition:
        raise InvalidGrammar(f"The schema holds {found}. A schema is made of what JSON has.")
