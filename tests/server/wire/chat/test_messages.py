"""Messages as clients write them, as those a model is given."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from sauropod import Message, ToolCall
from sauropod.server.problems import Problem
from sauropod.server.wire.chat.messages import messages_of

CALL = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": '{"city": "Bonn"}'}}
CALLED: dict[str, Any] = {"role": "assistant", "tool_calls": [CALL]}


def test_a_conversation_is_told_as_it_was() -> None:
    given: list[dict[str, Any]] = [
        {"role": "system", "content": "Be kind."},
        {"role": "developer", "content": [{"type": "text", "text": "Be"}, {"type": "text", "text": "brief."}]},
        {"role": "user", "content": "What time is it?", "name": "ann"},
        {"role": "assistant", "content": "Let me see.", "reasoning_content": "A clock!", "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "Noon."},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "I will not say."}]},
    ]
    assert messages_of(given) == [
        Message("system", "Be kind."),
        Message("developer", "Be\nbrief."),
        Message("user", "What time is it?", name="ann"),
        Message(
            "assistant",
            "Let me see.",
            reasoning="A clock!",
            tool_calls=[ToolCall("clock", {"city": "Bonn"}, "c1")],
        ),
        Message("tool", "Noon.", tool_call_id="c1", name="clock"),
        Message("assistant", "I will not say."),
    ]


def test_functions_are_called_and_answered_in_the_old_way() -> None:
    asked, answered = messages_of(
        [
            {"role": "assistant", "content": None, "function_call": {"name": "clock", "arguments": "{}"}},
            {"role": "function", "name": "clock", "content": "Noon."},
        ]
    )
    (call,) = asked.tool_calls
    assert (answered.role, answered.name, answered.tool_call_id) == ("tool", "clock", call.id)


def test_a_custom_tool_was_given_a_text() -> None:
    call = {"id": "c1", "type": "custom", "custom": {"name": "shell", "input": "ls"}}
    (message,) = messages_of([{"role": "assistant", "tool_calls": [call]}])
    assert message.tool_calls == (ToolCall("shell", {"input": "ls"}, "c1"),)


def test_arguments_that_a_model_once_broke_off_are_told_as_text() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": '{"city'}}
    (message,) = messages_of([{"role": "assistant", "tool_calls": [call]}])
    assert message.tool_calls[0].arguments == {"arguments": '{"city'}


NO_AUDIO = {"type": "input_audio", "input_audio": {"data": "äh", "format": "wav"}}
AUDIO = {"type": "input_audio", "input_audio": {"data": base64.b64encode(b"RIFF").decode(), "format": "wav"}}


def test_audio_stands_among_the_texts_where_it_was_put() -> None:
    texts = [{"type": "text", "text": text} for text in ("Listen:", "What \ufffc was it?")]
    (message,) = messages_of([{"role": "user", "content": [texts[0], AUDIO, texts[1]]}])
    assert message == Message("user", "Listen:\n\ufffc\nWhat  was it?", audio=[b"RIFF"])
    (plain,) = messages_of([{"role": "user", "content": [texts[1]]}])
    assert plain == Message.user("What \ufffc was it?")


@pytest.mark.parametrize(
    ("param", "told", "given"),
    [
        ("messages[0].content[0]", "image", {"role": "user", "content": [{"type": "image_url", "image_url": {}}]}),
        ("messages[0].content[0].input_audio.data", "base64", {"role": "user", "content": [{"type": "input_audio"}]}),
        ("messages[0].content[0].input_audio.data", "base64", {"role": "user", "content": [NO_AUDIO]}),
        ("messages[0].content[0]", "only a user", {"role": "system", "content": [AUDIO]}),
        ("messages[0].content[0]", "file", {"role": "user", "content": [{"type": "file"}]}),
        ("messages[0].content[0].type", "video", {"role": "user", "content": [{"type": "video"}]}),
        ("messages[0].content[0].text", "Missing", {"role": "user", "content": [{"type": "text"}]}),
        ("messages[0].content", "Missing", {"role": "user"}),
        ("messages[0].content", "neither", {"role": "assistant"}),
        ("messages[0].role", "nobody", {"role": "nobody", "content": "x"}),
        ("messages[0].role", "Missing", {"content": "x"}),
        ("messages[0].tool_call_id", "Missing", {"role": "tool", "content": "x"}),
        ("messages[0].tool_call_id", "'c1'", {"role": "tool", "content": "x", "tool_call_id": "c1"}),
        ("messages[0].name", "'clock'", {"role": "function", "content": "x", "name": "clock"}),
        ("messages[0].tool_calls[0].function", "Missing", {"role": "assistant", "tool_calls": [{"id": "c1"}]}),
    ],
)
def test_what_is_wrong_is_named(param: str, told: str, given: dict[str, Any]) -> None:
    with pytest.raises(Problem, match=told) as refused:
        messages_of([given])
    assert (refused.value.status, refused.value.param) == (400, param)


def test_a_result_belongs_to_a_call_before_it() -> None:
    result = {"role": "tool", "tool_call_id": "c1", "content": "Noon."}
    assert len(messages_of([CALLED, result])) == 2
    with pytest.raises(Problem, match="before it"):
        messages_of([result, CALLED])
