"""Looking once more at a finished text that was held to a grammar: by somebody else than who held it."""

from __future__ import annotations

import functools
import json
from typing import Any

from sauropod._values.grammar import Grammar, GrammarKind
from sauropod.errors import InvalidGrammar

__all__ = ["fault_of", "fault_under", "require_checkable"]

MOST_BACKTRACKING = 10_000
"""Steps of a pattern that cannot be matched in linear time."""


def fault_of(text: str, grammar: Grammar) -> str:
    """Why a finished text is not of a grammar; empty if it is, or if only the model's backend can tell.

    Raises `InvalidGrammar` for a schema that `require_checkable` refuses.
    """
    match grammar.kind:
        case GrammarKind.JSON_SCHEMA:
            try:
                value = json.loads(text)
            except ValueError as error:
                return f"it is no JSON: {error}"
            return fault_under(value, grammar.text)
        case GrammarKind.CHOICE:
            choices = {choice.strip() for choice in json.loads(grammar.text)}  # blanks around a text may be layout
            return "" if text.strip() in choices else "it is none of the choices"
    return ""


def fault_under(value: Any, schema: str) -> str:
    """Why a value is not valid under a schema (draft 2020-12), given as JSON; empty if it is.

    Raises `InvalidGrammar` for a schema that `require_checkable` refuses.
    """
    error = next(_validator(schema).iter_errors(value), None)
    return "" if error is None else _told(error, "at")


def require_checkable(schema: str) -> None:
    """Raises `InvalidGrammar` for a schema under which nothing can be checked: it is none, or refers to elsewhere."""
    _validator(schema)


@functools.lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    import jsonschema_rs

    given = json.loads(schema)
    if isinstance(given, dict):
        given.pop("$schema", None)
    make = functools.partial(jsonschema_rs.Draft202012Validator, validate_formats=True, retriever=_nowhere)
    bounded = jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_BACKTRACKING)
    try:
        try:
            return make(given, pattern_options=jsonschema_rs.RegexOptions())
        except ValueError:
            return make(given, pattern_options=bounded)
    except jsonschema_rs.ValidationError as error:
        raise InvalidGrammar(f"The schema is no JSON schema (draft 2020-12): {_told(error, 'in its')}.") from error


def _told(error: Any, where: str) -> str:
    path = "/".join(map(str, error.instance_path))
    return f"{error.message.splitlines()[0][:200]}{f' ({where} /{path})' if path else ''}"


def _nowhere(uri: str) -> Any:
    raise LookupError(f"{uri} is not fetched: a schema has to hold all that it refers to")
