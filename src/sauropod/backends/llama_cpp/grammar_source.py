"""A `Grammar` as llguidance reads it, once it is known that all of it will be enforced."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from sauropod._text.lark import escaped_pattern
from sauropod._values.grammar import Grammar, GrammarKind
from sauropod.backends.llama_cpp.guidance import fault, guidance, new_matcher
from sauropod.backends.llama_cpp.schema import places, prepared
from sauropod.errors import InvalidGrammar

__all__ = ["explained", "native_grammar"]

LAYOUT = {"whitespace_flexible": False, "item_separator": ", ", "key_separator": ": "}
"""A weak model that may write blanks between JSON's tokens writes them for ever, and one that may not write them where
it learned to goes astray: `{"name": "Ada"}` is what most have read."""

FLEXIBLE = {
    "whitespace_flexible": True,
    "whitespace_pattern": r"(?: |\n {0,40})?",
    "item_separator": ",",
    "key_separator": ":",
}
"""Where blanks are free: on one line or over several, but never without end."""

MOST_RULES = 500
"""Of a GBNF grammar. Converting them takes time by the square: a quarter of a second for so many."""

MOST_SEARCHED = 200
"""Schemas in a schema that are tried one by one to find out which of them cannot be enforced."""


def native_grammar(grammar: Grammar) -> str:
    """Raises `InvalidGrammar` for what is not well-formed or cannot be enforced, as far as that can be told here."""
    source = _native_alone(grammar)
    if not grammar.parts:
        return source
    parts = [{**_entry(_native_alone(part)), "name": name} for name, part in grammar.parts]
    return json.dumps({"grammars": [_entry(source), *parts]}, ensure_ascii=False)


def _entry(source: str) -> dict[str, Any]:
    """A grammar as one of several."""
    if not source.lstrip().startswith("{"):
        return {"lark_grammar": source}
    entry: dict[str, Any] = json.loads(source)["grammars"][0]
    return entry


def _native_alone(grammar: Grammar) -> str:
    matcher = guidance().LLMatcher
    match grammar.kind:
        case GrammarKind.JSON_SCHEMA:
            return _from_schema(prepared(_read(grammar.text)))
        case GrammarKind.REGEX:
            return str(matcher.grammar_from_regex(grammar.text))
        case GrammarKind.LARK:
            return str(matcher.grammar_from_lark("".join(_with_prepared_schemas(grammar.text))))
        case GrammarKind.GBNF:
            return str(matcher.grammar_from_lark(_converted(grammar.text)))
        case GrammarKind.CHOICE:
            return str(matcher.grammar_from_regex("|".join(map(escaped_pattern, _read(grammar.text)))))


def explained(grammar: Grammar, reason: str, tokenizer: Any) -> str:
    """Why a grammar cannot be used; of a schema also where, if that can be found out."""
    if grammar.kind is not GrammarKind.JSON_SCHEMA:
        return reason
    root = prepared(_read(grammar.text))
    shared: dict[str, Any] = {name: root[name] for name in ("$defs", "definitions") if name in root}
    found = list(places(root))[1:]
    for place in sorted(found[:MOST_SEARCHED], key=lambda place: -place.path.count("/")):
        matcher = new_matcher(_from_schema({**shared, **place.schema}), tokenizer)
        if matcher.is_error():
            return f"{fault(matcher)} (at {place.path[:200]})"
    return reason


def _from_schema(schema: dict[str, Any]) -> str:
    return str(guidance().LLMatcher.grammar_from_json_schema(json.dumps(_laid_out(schema), ensure_ascii=False)))


def _laid_out(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with all that it does not say itself of how its text is laid out."""
    given = schema.get("x-guidance", {})
    return {**schema, "x-guidance": {**(FLEXIBLE if given.get("whitespace_flexible") else LAYOUT), **given}}


def _with_prepared_schemas(lark: str) -> Iterator[str]:
    """The grammar with the schemas that stand in it as `%json {…}` checked, and laid out as `LAYOUT` says unless they
    say otherwise."""
    begin = 0
    while found := _SCHEMA.search(lark, begin):
        if found["schema"] is None:  # a text, a pattern or a comment, in which nothing is meant
            yield lark[begin : found.end()]
            begin = found.end()
            continue
        try:
            schema, end = json.JSONDecoder().raw_decode(lark, found.end())
        except (ValueError, RecursionError) as error:
            raise InvalidGrammar(f"What follows %json in the grammar is no schema: {error}.") from error
        given = Grammar.json_schema(schema)  # held to the same limits
        schema = prepared(_read(given.text))
        yield lark[begin : found.end()]
        yield json.dumps(_laid_out(schema), ensure_ascii=False)
        begin = end
    yield lark[begin:]


_SCHEMA = re.compile(r"""//[^\n]*|"(?:\\.|[^"\\\n])*"|/(?:\\.|[^/\\\n])+/|(?P<schema>%json\s*(?=\{))""")
"""What `%json` begins, and what only looks like it."""


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidGrammar(f"The grammar is no JSON: {error}.") from error


def _with_characters(gbnf: str) -> str:
    """The same with letters instead of their numbers, which the converter writes in a way of its own."""

    def character(found: re.Match[str]) -> str:
        code = found["code"] or found["long"]
        number = int(code or "0", 16)
        is_letter = number < 0x110000 and (chr(number).isalnum() or (number > 0xA0 and not 0xD800 <= number < 0xE000))
        return chr(number) if is_letter else found[0]

    return re.sub(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|U(?P<long>[0-9a-fA-F]{8})|.)", character, gbnf)


def _converted(gbnf: str) -> str:
    from llguidance.gbnf_to_lark import gbnf_to_lark

    if gbnf.count("::=") > MOST_RULES:
        raise InvalidGrammar(
            f"The GBNF grammar has more than {MOST_RULES} rules. Make it smaller, or use Grammar.lark."
        )
    try:
        return str(gbnf_to_lark(_with_characters(gbnf)))
    except Exception as error:
        raise InvalidGrammar(f"The GBNF grammar cannot be read: {error}.") from error
