"""Values as programming languages write them, read as JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json

from sauropod._text.literals import LiteralReader
from sauropod._text.source import Malformed, Source

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)


def read(text: str, quote: str = '"') -> str:
    """The JSON of a value that stands alone, taken in character by character; each step has to be valid so far."""
    source, told = Source(), ""

    def sink(part: str) -> None:
        nonlocal told
        told += part
        from_json(f"[{told}", allow_partial=True)

    reading = LiteralReader(source, quote).value(sink)
    for character in text:
        next(reading, None)
        source.text += character
    source.ended = True
    for _ in reading:
        raise AssertionError("it waits for more than there is")
    assert source.rest.strip() == ""
    return told


@settings(deadline=None)
@given(values)
def test_json_is_read_as_it_is(value: Any) -> None:
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False), json.dumps(value, indent=2)):
        assert json.loads(read(text)) == value


@settings(deadline=None)
@given(values)
def test_what_python_writes_is_read_as_the_json_of_it(value: Any) -> None:
    assert json.loads(read(repr(value))) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{a: 1, b: [true, null]}", {"a": 1, "b": [True, None]}),
        ("[1, 2,]", [1, 2]),
        ("'it's'", "it's"),
        ('["say "yes" twice", "or not"]', ['say "yes" twice', "or not"]),
        (r'"\ud83e\udd95"', "🦕"),
        (r'"\ud83e"', "\ufffd"),
        (r"'\x41\'\n'", "A'\n"),
        (r"'\q'", "\\q"),
        ("True", True),
        ("-1.5e3", -1500.0),
    ],
)
def test_what_models_write_besides_is_read(text: str, value: Any) -> None:
    assert json.loads(read(text)) == value


@pytest.mark.parametrize(
    "text", ["", "oops", "{", "[1", '"half', "[1 2]", '{"a" 1}', "1.2.3", "--1", "NaN", "[" * 5000]
)
def test_what_is_no_value_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read(text)


def test_a_text_between_marks_of_its_own_is_taken_as_it_is() -> None:
    assert json.loads(read('<|"|>a "b" \\ c<|"|>', '<|"|>')) == 'a "b" \\ c'
    assert json.loads(read('{x:<|"|>a<|"|>,y:[<|"|>b<|"|>]}', '<|"|>')) == {"x": "a", "y": ["b"]}
