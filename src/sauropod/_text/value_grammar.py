"""Grammars of arguments that a model writes one by one, each held to its schema.

Values that are written as JSON are left to the backend's JSON schemas. What is written in any other way is held here:
texts without quotes, and what has parts in a notation of its own. A keyword that cannot be held there is refused by
name, as the backend does.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NoReturn

import attrs

from sauropod._text.atoms import first_mark
from sauropod._text.kinds import kind_of, referred
from sauropod._text.lark import ANY_TEXT, Lark, escaped_pattern
from sauropod._values.grammar import ANNOTATIONS
from sauropod._values.messages import Tool
from sauropod._values.patterns import FORMATS, strange_syntax
from sauropod._values.syntax import ArgumentSyntax, Slot, Values
from sauropod.errors import InvalidGrammar

__all__ = ["ArgumentGrammar"]

_TEXT = frozenset({"type", "enum", "const", "minLength", "maxLength", "pattern", "format"})
_OBJECT = frozenset({"type", "properties", "required", "additionalProperties"})
_ARRAY = frozenset({"type", "items", "minItems", "maxItems"})

KEY = "[A-Za-z_][A-Za-z0-9_-]{0,63}"
LONGEST_NAME = 256
"""Characters of a key, as far as a reader looks for its end."""

MOST_FREE = 64
"""Arguments of a tool that names none."""

MOST_DEPTH = 32


@attrs.define
class ArgumentGrammar:
    """The arguments of one tool, in the syntax of one model."""

    lark: Lark
    syntax: ArgumentSyntax
    tool: Tool

    def arguments(self) -> str:
        """All of them. Raises `InvalidGrammar`."""
        schema = dict(self.tool.parameters)
        if not self.syntax.each:
            return self._json({"type": "object", **schema} if self.tool.strict else {"type": "object"})
        if not self.tool.strict:
            return self._free()
        return self._properties(self._resolved(schema, ""), "", 0)

    def _properties(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        """Arguments, or what an object has inside, in the order of the schema."""
        self._require_known(schema, _OBJECT, path)
        properties = schema.get("properties") or {}
        if not properties and not schema.keys() & {"required", "additionalProperties"} and not path:
            return self._free()
        required = set(schema.get("required") or ())
        if missing := sorted(required - properties.keys()):
            self._refuse(f"{path}/required", f"names {missing[0]!r}, of which nothing is known")
        written = [
            (self._argument(key, inner, f"{path}/properties/{key}", depth), key in required)
            for key, inner in (sorted(properties.items()) if self.syntax.ordered else properties.items())
        ]
        return self.lark.rule(self._listed(written))

    def _listed(self, arguments: Sequence[tuple[str, bool]]) -> str:
        """Arguments one after another, those that are not required being left out at will."""
        between = self.lark.literal(self.syntax.between)
        if not between:
            return " ".join(each if needed else f"({each})?" for each, needed in arguments) or '""'
        following, beginning = '""', '""'  # what may come after an argument, and what where none was yet
        for each, needed in reversed(arguments):
            after = self.lark.rule(f"{between} {each} {following}")
            following, beginning = (
                after if needed else self.lark.rule(f"{after} | {following}"),
                self.lark.rule(f"{each} {following}" + ("" if needed else f" | {beginning}")),
            )
        return beginning

    def _free(self) -> str:
        """Arguments of any name."""
        value = {"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "null", "array", "object")]}
        each = self._argument(None, value, "", 0)
        between = self.lark.literal(self.syntax.between)
        if not between:
            return self.lark.rule(f"({each}){{0,{MOST_FREE}}}")
        return self.lark.rule(f"({each} ({between} {each}){{0,{MOST_FREE}}})?")

    def _argument(self, key: str | None, schema: Any, path: str, depth: int) -> str:
        """A key and its value with their marks; any key for None."""
        if depth > MOST_DEPTH:
            self._refuse(path, f"is nested more than {MOST_DEPTH} deep, or refers to itself")
        parts = self.syntax.each
        if key is not None and not self._is_readable(key):
            self._refuse(path, "has a name that cannot be told from the marks around it, as this model writes them")
        place = parts.index(Slot.VALUE)
        closing = "".join((key or "") if part is Slot.KEY else str(part) for part in parts[place + 1 :])
        schema = self._resolved(schema, path)
        alternatives = []
        for kind, value in self._values(schema, closing, path, depth):
            lead = [self._lead(part, key, kind) for part in parts[:place]]
            alternatives.append(" ".join(filter(None, [*lead, value])))
        if not alternatives:
            self._refuse(path, "allows no value")
        return self.lark.rule(" | ".join(dict.fromkeys(alternatives)))

    def _is_readable(self, key: str) -> bool:
        """Whether a reader finds the end of a key."""
        parts = self.syntax.each
        before = parts[parts.index(Slot.KEY) + 1]
        mark = first_mark(before.strip()) if isinstance(before, str) else ""
        if not key or key != key.strip() or len(key) > LONGEST_NAME or mark in key:
            return False
        if any(token is not None for _, token in self.lark.marks(key)):
            return False
        return self.syntax.values is not Values.LITERAL or not re.search(rf"\s|{re.escape(mark[:1])}", key)

    def _lead(self, part: Any, key: str | None, kind: str) -> str:
        if part is Slot.KEY:
            return self.lark.terminal(f"/{KEY}/") if key is None else self.lark.literal(key)
        word = self.syntax.types.get("number" if kind == "integer" else kind, "")
        return self.lark.literal(word if part is Slot.TYPE else part)

    # -- values ----------------------------------------------------------------------------------------------------

    def _values(self, schema: Any, closing: str, path: str, depth: int) -> Iterator[tuple[str, str]]:
        """The ways to write a value and what closes it, each with the kind of value that is."""
        branches = list(self._branches(schema, path))
        texts = [each for each in branches if _kind(each) == "string"]
        others = [each for each in branches if _kind(each) != "string"]
        free = any(_is_any_text(each) for each in texts)
        for text in texts:
            if not free or _is_any_text(text):
                yield "string", self._text(text, closing, path)
        for other in others:
            if free and self.syntax.values is Values.RAW and not self.syntax.types:
                continue  # any text is right, whatever it is read as
            yield _kind(other), f"{self._other(other, path, depth)} {self.lark.literal(closing)}".rstrip()

    def _branches(self, schema: Any, path: str) -> Iterator[dict[str, Any]]:
        """A schema as several of one kind each."""
        if schema is True or schema == {}:
            schema = {"type": ["string", "number", "boolean", "null", "array", "object"]}
        if not isinstance(schema, Mapping):
            self._refuse(path, "is no schema that can be held")
        schema = _without_annotations(schema)
        allowed = _kinds(schema)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                self._require_alone(schema, keyword, path)
                for index, inner in enumerate(schema[keyword]):
                    for branch in self._branches(self._resolved(inner, path), f"{path}/{keyword}/{index}"):
                        if (kind := _both(_kind(branch), allowed)) is not None:
                            yield {**branch, "type": kind}
                return
        for keyword in ("allOf", "not", "if", "dependentSchemas", "dependentRequired"):
            if keyword in schema:
                self._refuse(f"{path}/{keyword}", "cannot be held in the way this model writes arguments")
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values is not None:
            self._require_alone(schema, "const" if "const" in schema else "enum", path)
            for value in values:
                if _is_of(value, allowed):
                    yield {"const": value, "type": kind_of(value)}
            return
        for kind in allowed:
            yield {**schema, "type": kind}

    def _require_alone(self, schema: Mapping[str, Any], keyword: str, path: str) -> None:
        if extra := sorted(set(schema) - {keyword, "type"}):
            self._refuse(
                f"{path}/{extra[0]}", f"beside {keyword} cannot be held in the way this model writes arguments"
            )

    def _text(self, schema: Mapping[str, Any], closing: str, path: str) -> str:
        """A text, in quotes if it has any, and what closes it."""
        self._require_known(schema, _TEXT, path)
        quote = self.syntax.quote if self.syntax.values is Values.LITERAL else ""
        if quote and not self.syntax.bare_keys:  # as JSON has it, which is right in such languages too
            ways = [self._json(schema)]
            if _is_any_text(schema):
                ways.append(self.lark.terminal(f"/{_IN_QUOTES}/"))
            return f"{self.lark.rule(' | '.join(ways))} {self.lark.literal(closing)}".rstrip()
        end = f"{quote}{closing}"
        mark = first_mark(end.strip())
        if "const" in schema:
            if mark in schema["const"] or (quote and "\\" in schema["const"]):
                self._refuse(path, f"allows {schema['const']!r}, which cannot be told from the marks after it")
            around = (self.lark.literal(quote), self.lark.plain(schema["const"]), self.lark.literal(end))
            return " ".join(filter(None, around))
        pattern = self._pattern(schema, path)
        blank = end[: len(end) - len(end.lstrip())]
        if pattern != ANY_TEXT:
            pattern += escaped_pattern(blank)
        rest = self.lark.literal(end.lstrip()[len(mark) :])
        return f"{self.lark.literal(quote)} {self.lark.until(mark, pattern)} {rest}"

    def _pattern(self, schema: Mapping[str, Any], path: str) -> str:
        """A regular expression for a text."""
        sized = "minLength" in schema or "maxLength" in schema
        if sum((sized, "pattern" in schema, "format" in schema)) > 1:
            self._refuse(path, "asks for more than one of length, pattern and format, which cannot be held together")
        if sized:
            return f"(?s:.{{{schema.get('minLength', 0)},{schema.get('maxLength', '')}}})"
        if "format" in schema:
            if schema["format"] not in FORMATS:
                self._refuse(f"{path}/format", f"is {schema['format']!r}, which cannot be held")
            return _slashes_escaped(FORMATS[schema["format"]])
        return self._anchored(schema["pattern"], f"{path}/pattern") if "pattern" in schema else ANY_TEXT

    def _anchored(self, pattern: str, path: str) -> str:
        """A pattern that is looked for in a text, as one for all of the text."""
        if strange := strange_syntax(pattern):
            self._refuse(path, f"has {strange}, which does not mean the same everywhere")
        inner = pattern.removeprefix("^")
        ends = _ESCAPED.sub("__", inner).endswith("$")
        inner = inner[:-1] if ends else inner
        plain = _IN_BRACKETS.sub("", _ESCAPED.sub("__", inner))
        if re.search(r"[\^$]|\(\?[^:]", plain):
            self._refuse(path, "has anchors or look-around inside, which cannot be held in the way this model writes")
        before, after = "" if pattern.startswith("^") else ANY_TEXT, "" if ends else ANY_TEXT
        return f"{before}(?:{_slashes_escaped(inner)}){after}"

    def _other(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        """A value that is no text."""
        kind, syntax = _kind(schema), self.syntax
        if syntax.values is Values.TAGS and kind == "object" and schema.get("properties"):
            return self._properties(schema, path, depth + 1)
        if syntax.values is Values.TAGS and kind == "array":
            return self._items(schema, path, depth)
        if kind == "boolean" or (kind == "null" and syntax.values is Values.LITERAL):
            return self._word(schema)
        if syntax.values is not Values.LITERAL:
            return self._json(self._complete(schema))
        if kind in ("number", "integer"):
            return self._json(schema)
        if syntax.bare_keys:
            inside = self._literal_object if kind == "object" else self._literal_list
            return inside(schema, path, depth)
        ways = [self._json(self._complete(schema))]
        if kind == "array":
            with suppress(InvalidGrammar):
                ways.append(self._literal_list(schema, path, depth))
        return self.lark.rule(" | ".join(ways))

    def _json(self, schema: Mapping[str, Any]) -> str:
        return self.lark.schema(schema, self.syntax.layout)

    def _word(self, schema: Mapping[str, Any]) -> str:
        """A name of JSON's, or Python's: models write both."""
        allowed = [schema["const"]] if "const" in schema else [True, False] if _kind(schema) == "boolean" else [None]
        python = [] if self.syntax.bare_keys else [str(value) for value in allowed]
        plain = [json.dumps(value) for value in allowed]
        return self.lark.rule(" | ".join(json.dumps(word) for word in (*plain, *python)))

    def _items(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        """A list of tags."""
        self._require_known(schema, _ARRAY, path)
        each = self._argument(self.syntax.item, schema.get("items", {"type": "string"}), f"{path}/items", depth + 1)
        return self.lark.rule(_times(each, schema.get("minItems", 0), schema.get("maxItems", MOST_FREE)) or '""')

    def _literal_object(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        self._require_known(schema, _OBJECT, path)
        if not schema.get("properties"):
            return self.lark.rule('"{" "}"')
        inside = attrs.evolve(self, syntax=attrs.evolve(self.syntax, each=(Slot.KEY, ":", Slot.VALUE), between=","))
        return self.lark.rule(f'"{{" {inside._properties(schema, path, depth + 1)} "}}"')

    def _literal_list(self, schema: Mapping[str, Any], path: str, depth: int) -> str:
        self._require_known(schema, _ARRAY, path)
        items = self._resolved(schema.get("items", {"type": "string"}), path)
        values = [value for _, value in self._values(items, "", f"{path}/items", depth + 1)]
        each = self.lark.rule(" | ".join(values))
        least, most = schema.get("minItems", 0), schema.get("maxItems", MOST_FREE)
        comma = json.dumps("," if self.syntax.bare_keys else ", ")
        some = f"{each} {_times(f'{comma} {each}', max(least - 1, 0), most - 1)}"
        ways = [f'"[" {some} "]"'] if most else []
        return self.lark.rule(" | ".join([*ways, '"[" "]"'] if least == 0 else ways))

    # -- schemas ---------------------------------------------------------------------------------------------------

    def _resolved(self, schema: Any, path: str) -> Any:
        for _ in range(16):
            if not isinstance(schema, Mapping) or "$ref" not in schema:
                return schema
            beside = {key: value for key, value in _without_annotations(schema).items() if key != "$ref"}
            schema = referred(str(schema["$ref"]), self.tool.parameters)
            if schema is None:
                self._refuse(f"{path}/$ref", "refers to what is not there")
            if beside and (not isinstance(schema, Mapping) or beside.keys() & schema.keys() or "$ref" in schema):
                self._refuse(f"{path}/$ref", f"beside {next(iter(beside))} cannot be held")
            schema = {**schema, **beside} if beside else schema
        return self._refuse(f"{path}/$ref", "refers to itself")

    def _complete(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        """With what it may refer to."""
        shared = {name: self.tool.parameters[name] for name in ("$defs", "definitions") if name in self.tool.parameters}
        return {**shared, **schema}

    def _require_known(self, schema: Mapping[str, Any], known: frozenset[str], path: str) -> None:
        for keyword in schema:
            if keyword not in known and keyword not in ANNOTATIONS and not keyword.startswith("x-"):
                self._refuse(f"{path}/{keyword}", "cannot be held in the way this model writes arguments")

    def _refuse(self, path: str, why: str) -> NoReturn:
        keyword = path.rpartition("/")[2] or "the schema"
        raise InvalidGrammar(
            f"{keyword} at {path[:200] or '/'} of the tool {self.tool.name!r} {why}. "
            "Change the schema, or make the tool with strict=False and check its arguments yourself."
        )


_IN_QUOTES = r"'(?:[^'\\\n]|\\[^xuUN\n])*'"

_ESCAPED = re.compile(r"\\.", re.DOTALL)
_IN_BRACKETS = re.compile(r"\[\^?\]?[^\]]*\]")


def _slashes_escaped(pattern: str) -> str:
    """As a pattern stands between slashes."""
    return re.sub(r"\\.|/", lambda found: r"\/" if found[0] == "/" else found[0], pattern, flags=re.DOTALL)


def _times(rule: str, least: int, most: int) -> str:
    return f"({rule}){{{least},{most}}}" if most > 0 else ""


def _without_annotations(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key not in ANNOTATIONS and not key.startswith("x-")}


def _kinds(schema: Mapping[str, Any]) -> list[str]:
    """The kinds of value a schema names; all of them if it names none."""
    kinds = schema.get("type", ["string", "number", "boolean", "null", "array", "object"])
    return list(kinds) if isinstance(kinds, list) else [kinds]


def _both(kind: str, allowed: Sequence[str]) -> str | None:
    """What is of a kind and of one of those that are allowed; None if nothing is."""
    if kind in allowed:
        return kind
    if kind == "number" and "integer" in allowed:
        return "integer"
    return kind if kind == "integer" and "number" in allowed else None


def _is_of(value: Any, allowed: Sequence[str]) -> bool:
    kind = kind_of(value)
    return kind in allowed or (kind == "number" and "integer" in allowed and float(value).is_integer())


def _kind(schema: Mapping[str, Any]) -> str:
    return str(schema.get("type", "string"))


def _is_any_text(schema: Mapping[str, Any]) -> bool:
    return not schema.keys() & (_TEXT - {"type"})
