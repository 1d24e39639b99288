"""Of a schema all is enforced, or what is not is named."""

from __future__ import annotations

import contextlib
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema_specifications import REGISTRY  # type: ignore[import-untyped]

from sauropod import InvalidGrammar
from sauropod._values.grammar import ANNOTATIONS
from sauropod.backends.llama_cpp.schema import _CHECKS, _INSIDE, prepared

IGNORED = (
    *("not", "if", "then", "else", "contains", "minContains", "maxContains", "propertyNames", "dependentRequired"),
    *("dependentSchemas", "dependencies", "unevaluatedProperties", "unevaluatedItems", "contentEncoding"),
    *("contentMediaType", "contentSchema", "$dynamicRef", "$recursiveRef", "$vocabulary", "nullable", "minLenght"),
    *("divisibleBy", "extends", "disallow", "propertyOrdering", "Title"),
)


@pytest.mark.parametrize("keyword", IGNORED)
def test_what_would_be_ignored_is_named_with_its_place(keyword: str) -> None:
    schema = {"properties": {"a/b": {"items": {"anyOf": [{"type": "null"}, {keyword: True}]}}}}
    with pytest.raises(InvalidGrammar) as refused:
        prepared(schema)
    assert f"{keyword} at /properties/a~1b/items/anyOf/1/{keyword} " in str(refused.value)


def keywords_of_all_drafts() -> set[str]:
    """Those that the meta-schemas name, of every vocabulary."""
    contents = (REGISTRY.contents(uri) for uri in REGISTRY)
    return {keyword for each in contents if isinstance(each, dict) for keyword in each.get("properties", {})}


@pytest.mark.parametrize("keyword", sorted(keywords_of_all_drafts()))
def test_no_keyword_of_any_draft_is_ignored_in_silence(keyword: str) -> None:
    """It is enforced, or restricts nothing, or is refused by its name."""
    if keyword in ANNOTATIONS:
        prepared({keyword: {}})
    elif keyword not in _CHECKS.keys() | _INSIDE.keys():
        with pytest.raises(InvalidGrammar, match=rf"^{re.escape(keyword)} at /") as refused:
            prepared({keyword: True})
        assert f"{keyword} at /{keyword} cannot be enforced" in str(refused.value)


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (False, "nothing satisfies"),
        ({"properties": {f"p{n}": {} for n in range(3000)}}, "properties at /properties has 3,000 parts"),
        ({"uniqueItems": True}, "uniqueItems at /uniqueItems cannot be enforced"),
        ({"type": "string", "format": "idn-email"}, "format at /format is 'idn-email'"),
        ({"type": "integer", "format": "int32"}, "'int32'"),
        ({"format": "unknown"}, "'unknown'"),
        ({"format": ["date"]}, "date"),
        ({"minProperties": 2}, "minProperties at /minProperties"),
        ({"minProperties": 3, "required": ["a"]}, "the 1 that are required"),
        ({"const": {"a": [12345678901234567890]}}, "const at /const holds 12345678901234567890"),
        ({"enum": [0.1234567890123456789]}, "more than 15 digits"),
        ({"minimum": 1e300}, "minimum at /minimum"),
        ({"multipleOf": 1000003}, "multipleOf"),
        ({"exclusiveMinimum": 1, "maximum": 1.5}, "exclusiveMinimum at /exclusiveMinimum excludes 1"),
        ({"allOf": [{"exclusiveMaximum": -2.0}, {"minimum": -2.5}]}, "exclusiveMaximum at /allOf/0"),
        ({"pattern": "(?i)a"}, "inline flag"),
        ({"pattern": "[a&&b]"}, "unescaped & in brackets"),
        ({"patternProperties": {"(?=a)": {}}}, "look-around"),
        ({"$ref": "other.json"}, "refers to something else"),
        ({"$ref": "#name"}, "refers to something else"),
        ({"$ref": "#/$defs/a"}, "not there"),
        ({"$ref": "#/anyOf/7", "anyOf": [{}]}, "not there"),
        ({"$ref": 5}, "refers to something else"),
        ({"items": {"$id": "http://example.org/x"}}, "$id at /items/$id"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"not": {}}}}, "not at /$defs/a/not"),
        ({"x-guidance": {"lenient": True}}, "'lenient'"),
        ({"x-guidance": {"coerce_one_of": True}}, "'coerce_one_of'"),
        ({"x-guidance": {"item_separator": ";"}}, "item_separator"),
        ({"x-guidance": True}, "x-guidance"),
    ],
)
def test_what_cannot_be_enforced_is_refused(schema: Any, reason: str) -> None:
    with pytest.raises(InvalidGrammar) as refused:
        prepared(schema)
    assert reason in str(refused.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"title": "T", "description": "d", "default": 1, "examples": [], "$comment": "c", "deprecated": True, "x-y": 1},
        {"$id": "http://example.org/x", "$schema": "https://json-schema.org/draft/2020-12/schema"},
        {"$defs": {"unused": {"not": {}}}},
        {"properties": {"not": {"type": "string"}, "$ref": {}}},
        {"const": {"not": 1}, "default": {"not": 1}, "enum": [{"$ref": "x"}]},
        {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"anyOf": [{"$ref": "#/$defs/a~1b"}, {"type": "null"}]}}},
        {"minProperties": 2, "required": ["a"]},
        {"x-guidance": {"item_separator": ", ", "key_separator": ": "}},
        {"enum": [0.1, 1e-7, 100000.0, 999999999999999, -0.0, True]},
    ],
)
def test_what_restricts_nothing_or_can_be_enforced_is_let_through(schema: dict[str, Any]) -> None:
    assert prepared(schema) == schema


KEYWORDS = st.sampled_from([*IGNORED[:3], *_CHECKS, *_INSIDE, "$id", "x-guidance", "$defs", "title"])
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats() | st.sampled_from(["", "#", "#/items", "date", "[a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYWORDS, inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(KEYWORDS, JUNK))
def test_what_is_no_schema_is_refused_or_left_to_llguidance(schema: dict[str, Any]) -> None:
    with contextlib.suppress(InvalidGrammar):
        prepared(schema)


def test_an_empty_promise_of_uniqueness_is_left_out() -> None:
    assert prepared({"uniqueItems": False, "type": "array"}) == {"type": "array"}
    assert prepared(True) == {}
