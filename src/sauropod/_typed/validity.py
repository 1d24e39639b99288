"""Looking once more at a finished text that was held to a grammar: by somebody else than who held it."""

from __future__ import annotations

import functools
import json
from typing import Any

from sauropod._values.grammar import Grammar, GrammarKind

__all__ = ["fault_of", "fault_under"]

MOST_BACKTRACKING = 10_000
"""Steps of a pattern that cannot be matched in linear time."""


def fault_of(text: str, grammar: Grammar) -> str:
    """Why a finished text is not of a grammar; empty if it is, or if only the model's backend can tell."""
    match grammar.kind:
        case GrammarKind.JSON_SCHEMA:
            try:
                value = json.loads(text)
            except ValueError as error:
                return f"it is no JSON: {error}"
            return fault_under(value, grammar.text)
        case GrammarKind.CHOICE:
            return "" if text in json.loads(grammar.text) else "it is none of the choices"
    return ""


def fault_under(value: Any, schema: str) -> str:
    """Why a value is not valid under a schema, given as JSON; empty if it is."""
    error = next(_validator(schema).iter_errors(value), None)
    if error is None:
        return ""
    path = "/".join(map(str, error.instance_path))
    return f"{error.message.splitlines()[0][:200]}{f' (at /{path})' if path else ''}"


@functools.lru_cache(maxsize=64)
def _validator(schema: str) -> Any:
    import jsonschema_rs

    linear, bounded = jsonschema_rs.RegexOptions(), jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_BACKTRACKING)
    make = functools.partial(jsonschema_rs.validator_for, json.loads(schema), validate_formats=True, retriever=_nowhere)
    try:
        return make(pattern_options=linear)
    except ValueError:
        return make(pattern_options=bounded)


def _nowhere(uri: str) -> Any:
    raise LookupError(f"{uri} is not fetched: a schema has to hold all that it refers to")
