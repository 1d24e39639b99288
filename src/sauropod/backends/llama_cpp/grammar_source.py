"""A `Grammar` as llguidance reads it, once it is known that all of it will be enforced."""

from __future__ import annotations

import json
from typing import Any

from sauropod._values.grammar import Grammar, GrammarKind
from sauropod.backends.llama_cpp.guidance import guidance
from sauropod.backends.llama_cpp.schema import prepared
from sauropod.errors import InvalidGrammar

__all__ = ["native_grammar"]

COMPACT = {"whitespace_flexible": False}
"""A weak model that may write blanks between JSON's tokens writes them for ever."""


def native_grammar(grammar: Grammar) -> str:
    """Raises `InvalidGrammar` for what is not well-formed or cannot be enforced, as far as that can be told here."""
    matcher = guidance().LLMatcher
    match grammar.kind:
        case GrammarKind.JSON_SCHEMA:
            schema = json.dumps(prepared(_read(grammar.text)), ensure_ascii=False)
            return str(matcher.grammar_from_json_schema(schema, defaults=COMPACT))
        case GrammarKind.REGEX:
            return str(matcher.grammar_from_regex(grammar.text))
        case GrammarKind.LARK:
            return str(matcher.grammar_from_lark(grammar.text))
        case GrammarKind.GBNF:
            return str(matcher.grammar_from_lark(_converted(grammar.text)))
        case GrammarKind.CHOICE:
            choices = (json.dumps(text, ensure_ascii=False) for text in _read(grammar.text))
            return str(matcher.grammar_from_lark("start: " + " | ".join(choices)))


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise InvalidGrammar(f"The grammar is no JSON: {error}.") from error


def _converted(gbnf: str) -> str:
    from llguidance.gbnf_to_lark import gbnf_to_lark

    try:
        return str(gbnf_to_lark(gbnf))
    except Exception as error:
        raise InvalidGrammar(f"The GBNF grammar cannot be read: {error}.") from error
