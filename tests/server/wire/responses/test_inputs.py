"""What clients send as input is made whole, or refused by its place."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.problems import Problem
from sauropod.server.wire.responses.inputs import read_input


def read(given: Any) -> list[dict[str, Any]]:
    counter = itertools.count()
    return read_input(given, lambda kind: f"{kind}_{next(counter)}")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
kinds = ["message", "function_call", "function_call_output", "reasoning", "compaction", "item_reference", "shell_call"]
names = ["role", "content", "call_id", "name", "arguments", "output", "summary", "id", "encrypted_content", "text"]
shaped = st.builds(
    lambda kind, role, rest: {**rest, "type": kind, "role": role},
    st.sampled_from([*kinds, "input_text", "output_text", "other"]),
    st.sampled_from(["user", "assistant", "tool", None]),
    st.dictionaries(st.sampled_from(names), json_values, max_size=6),
)


@given(st.lists(shaped | json_values, max_size=3))
def test_any_json_is_read_or_refused_by_its_place(items: list[Any]) -> None:
    problem: Problem | None = None
    found: list[dict[str, Any]] = []
    try:
        found = read(items)
    except Problem as caught:
        problem = caught
    assert problem is None or (problem.status, (problem.param or "").split("[")[0]) == (400, "input")
    assert all(isinstance(item["id"], str) for item in found)


@given(st.lists(shaped, max_size=3))
def test_what_was_read_can_be_kept_and_is_read_the_same_again(items: list[Any]) -> None:
    try:
        found = read(items)
    except Problem:
        return
    again = msgspec.json.decode(msgspec.json.encode(found))
    assert read(again) == found


def test_a_text_is_what_the_user_says() -> None:
    (item,) = read("Hello")
    assert item == {
        "id": "msg_0",
        "type": "message",
        "status": "completed",
        "role": "user",
        "content": [{"type": "input_text", "text": "Hello"}],
    }


def test_an_item_without_a_type_is_a_message() -> None:
    (item,) = read([{"role": "assistant", "content": "Hi", "phase": "final_answer"}])
    assert item["content"] == [{"type": "output_text", "text": "Hi", "annotations": []}]
    assert item["phase"] == "final_answer"


@pytest.mark.parametrize(
    ("items", "param"),
    [
        ([{"role": "user"}], "input[0].content"),
        ([{"role": "nobody", "content": "x"}], "input[0].role"),
        (["x"], "input[0]"),
        (
            [{"role": "user", "content": [{"type": "input_text", "text": "a"}, {"type": "input_image"}]}],
            "input[0].content[1]",
        ),
        ([{"type": "function_call", "call_id": "c", "name": "f"}], "input[0].arguments"),
        ([{"type": "function_call_output", "call_id": "c"}], "input[0].output"),
        ([{"type": "mcp_call"}], "input[0].type"),
        ([{"type": "item_reference"}], "input[0].id"),
    ],
)
def test_what_is_wrong_is_named(items: list[Any], param: str) -> None:
    with pytest.raises(Problem) as caught:
        read(items)
    assert caught.value.param == param


AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}


def test_audio_is_kept_as_it_was_sent_and_only_a_user_has_any() -> None:
    (item,) = read([{"role": "user", "content": [AUDIO, {"type": "input_text", "text": "What is this?"}]}])
    assert item["content"] == [AUDIO, {"type": "input_text", "text": "What is this?"}]
    with pytest.raises(Problem, match="only a user's message"):
        read([{"role": "system", "content": [AUDIO]}])
    for wrong in ({}, {"data": 5}, {"data": ""}, {"data": "%%"}, "UklGRg=="):
        with pytest.raises(Problem, match="base64"):
            read([{"role": "user", "content": [{"type": "input_audio", "input_audio": wrong}]}])


def test_an_image_is_refused_in_words_that_help() -> None:
    with pytest.raises(Problem, match="an image, and the models here take text and audio only"):
        read([{"role": "user", "content": [{"type": "input_image", "image_url": "data:"}]}])
