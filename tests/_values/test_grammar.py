"""Grammars are values: small, comparable, and refused when they are none."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod import Grammar, InvalidGrammar, InvalidSampling, SamplingParams

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20)


@given(st.dictionaries(st.text(), JSON))
def test_a_schema_is_kept_as_it_is_in_its_order(schema: dict[str, Any]) -> None:
    grammar = Grammar.json_schema(MappingProxyType(schema))
    assert json.dumps(json.loads(grammar.text)) == json.dumps(schema)
    assert pickle.loads(pickle.dumps(grammar)) == copy.copy(grammar) == grammar
    assert hash(Grammar.json_schema(schema)) == hash(grammar)


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def circular() -> dict[str, Any]:
    schema: dict[str, Any] = {}
    schema["items"] = schema
    return schema


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Grammar.json_schema("{}"), "a dict; got str"),  # type: ignore[arg-type]
        (lambda: Grammar.json_schema({"const": float("nan")}), "type float"),
        (lambda: Grammar.json_schema({"enum": {1, 2}}), "type set"),
        (lambda: Grammar.json_schema({"properties": {1: {}}}), "a key that is no text"),
        (lambda: Grammar.json_schema({"const": 10**5000}), "type int"),
        (lambda: Grammar.json_schema({"const": "\ud800"}), "type str"),
        (lambda: Grammar.json_schema(nested(10_000)), "nested more than"),
        (lambda: Grammar.json_schema(circular()), "nested more than"),
        (lambda: Grammar.json_schema({"enum": ["x" * 1_000_000]}), "characters"),
        (lambda: Grammar.json_schema({"enum": [0] * 1_000_000}), "characters"),
        (lambda: Grammar.choice([]), "nothing to choose"),
        (lambda: Grammar.choice([1]), "strings"),  # type: ignore[list-item]
        (lambda: Grammar.choice(5), "strings"),  # type: ignore[arg-type]
        (lambda: Grammar.regex(5), "a text; got int"),  # type: ignore[arg-type]
        (lambda: Grammar.lark("x" * 1_000_000), "characters"),
        (lambda: Grammar("regex", "x"), "GrammarKind"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_grammar_is_refused_at_once(make: Callable[[], Grammar], reason: str) -> None:
    with pytest.raises(InvalidGrammar, match=reason):
        make()


def test_choices_are_told_once() -> None:
    assert Grammar.choice(["b", "a", "b"]) == Grammar.choice(iter("ba"))
    assert Grammar.choice("yes") == Grammar.choice(["yes"])


def test_a_grammar_and_no_end_contradict_each_other() -> None:
    with pytest.raises(InvalidSampling, match="ignore_eos"):
        SamplingParams(grammar=Grammar.json_object(), ignore_eos=True)
    with pytest.raises(InvalidSampling, match="Grammar"):
        SamplingParams(grammar="yes|no")  # type: ignore[arg-type]
