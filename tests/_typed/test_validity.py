"""A finished text is looked at once more."""

from __future__ import annotations

import json
import time

import pytest

from sauropod import Grammar, InvalidGrammar
from sauropod._typed.validity import fault_of, fault_under, require_checkable

PERSON = {"type": "object", "properties": {"born": {"type": "integer", "minimum": 1}}, "required": ["born"]}


def test_a_text_that_is_what_it_was_held_to_has_no_fault() -> None:
    assert fault_of('{"born": 1815}', Grammar.json_schema(PERSON)) == ""
    assert fault_of("yes", Grammar.choice(["yes", "no"])) == ""


@pytest.mark.parametrize(
    ("text", "grammar", "told"),
    [
        ('{"born": 0}', Grammar.json_schema(PERSON), "0 is less than the minimum of 1 (at /born)"),
        ("{", Grammar.json_schema(PERSON), "no JSON"),
        ("{}", Grammar.json_schema(PERSON), "born"),
        ("maybe", Grammar.choice(["yes", "no"]), "none of the choices"),
        ('"2026-02-30"', Grammar.json_schema({"type": "string", "format": "date"}), "date"),
    ],
)
def test_a_fault_is_said_with_its_place(text: str, grammar: Grammar, told: str) -> None:
    assert told in fault_of(text, grammar)


def test_what_only_the_backend_can_tell_is_left_to_it() -> None:
    assert fault_of("b", Grammar.regex("a")) == ""
    assert fault_of("b", Grammar.lark('start: "a"')) == ""


def test_patterns_take_time_in_proportion_to_the_text() -> None:
    schema = json.dumps({"type": "string", "pattern": "^(a+)+$"})
    began = time.monotonic()
    assert fault_under("a" * 50_000 + "!", schema)
    assert fault_under("a" * 50_000, schema) == ""
    assert time.monotonic() - began < 5


def test_a_pattern_that_looks_around_is_read_all_the_same_and_not_for_ever() -> None:
    schema = json.dumps({"type": "string", "pattern": "^(?!b)(a+)+$"})
    assert fault_under("aaa", schema) == ""
    assert fault_under("baa", schema)
    began = time.monotonic()
    assert fault_under("a" * 5_000 + "!", schema)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("schema", "told"),
    [
        ({"$ref": "https://example.org/schema.json"}, "not fetched"),
        ({"$ref": "#/$defs/missing"}, "missing"),
        ({"properties": {"a": {"type": "intger"}}}, "in its /properties/a/type"),
        ({"type": "string", "pattern": "("}, "regex"),
    ],
)
def test_a_schema_under_which_nothing_can_be_checked_is_refused(schema: object, told: str) -> None:
    with pytest.raises(InvalidGrammar, match=told):
        require_checkable(json.dumps(schema))


def test_a_schema_of_an_unknown_dialect_is_read_as_any_other() -> None:
    assert fault_under(1, json.dumps({"$schema": "http://example.org/mine", "type": "integer"})) == ""
