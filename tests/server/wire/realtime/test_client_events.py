"""What clients send is read, or refused by name."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod import CallItem, ResultItem, SaidItem
from sauropod.server.problems import Problem, problem_of
from sauropod.server.wire.realtime.beta import from_beta
from sauropod.server.wire.realtime.client_events import (
    NAMES,
    AppendAudio,
    BadEvent,
    CreateItem,
    CreateResponse,
    TruncateItem,
    UpdateSession,
    event_of,
    plain_event,
    read_event,
)
from sauropod.server.wire.realtime.formats import Pcm
from sauropod.server.wire.realtime.items import GivenItem, item_of, wire_item
from sauropod.server.wire.realtime.patching import patched
from sauropod.server.wire.realtime.session import RealtimeSession
from sauropod.server.wire.realtime.settings import reply_options

BROKEN = {"type": "input_audio", "audio": "?"}
SESSION = RealtimeSession(id="sess_1", model="fake")


def read(**plain: Any) -> Any:
    return read_event(json.dumps(plain))


def bad(message: str | bytes) -> BadEvent:
    with pytest.raises(BadEvent) as raised:
        read_event(message)
    return raised.value


def test_events_are_read_from_text_and_from_bytes() -> None:
    assert read(type="input_audio_buffer.append", audio="AAAA") == AppendAudio(audio="AAAA")
    assert read_event(b'{"audio":"AAAA","type":"input_audio_buffer.append"}') == AppendAudio(audio="AAAA")
    found = read(type="session.update", event_id="e", session={"instructions": None})
    assert found == UpdateSession(event_id="e", session={"instructions": None})
    truncated = read(type="conversation.item.truncate", item_id="i", content_index=0, audio_end_ms=1500)
    assert truncated == TruncateItem(item_id="i", content_index=0, audio_end_ms=1500)


@pytest.mark.parametrize(
    ("message", "param", "event_id"),
    [
        ("x", None, None),
        ("", None, None),
        (b"\xff\xfe", None, None),
        ("[]", "type", None),
        ("{}", "type", None),
        ('{"type": "dance", "event_id": "e1"}', "type", "e1"),
        ('{"type": ["dance"], "event_id": "e1"}', "type", "e1"),
        ('{"type": "input_audio_buffer.append", "event_id": "e1"}', "audio", "e1"),
        ('{"type": "input_audio_buffer.append", "event_id": "e1", "audio": 5}', "audio", "e1"),
        ('{"type": "input_audio_buffer.commit", "event_id": 5}', "event_id", None),
        ('{"type": "session.update", "event_id": "e1", "session": []}', "session", "e1"),
        ('{"type": "conversation.item.create", "event_id": "e1", "item": {}}', "item.type", "e1"),
        ('{"type": "response.create", "event_id": "e1", "response": {"modalities": []}}', "response.modalities", "e1"),
    ],
)
def test_what_is_wrong_is_told_with_the_events_own_id(
    message: str | bytes, param: str | None, event_id: str | None
) -> None:
    found = bad(message)
    assert (found.problem.status, found.problem.param, found.event_id) == (400, param, event_id), found.problem


def test_an_unknown_event_names_those_there_are() -> None:
    assert all(name in bad('{"type": "dance"}').problem.message for name in NAMES)


def item(**plain: Any) -> Any:
    return item_of(msgspec.convert(plain, GivenItem), Pcm())


def refused(**plain: Any) -> Problem:
    with pytest.raises(Problem) as raised:
        item(**plain)
    return raised.value


@pytest.mark.parametrize(
    ("role", "part", "spoken"),
    [
        ("user", {"type": "input_text", "text": "Hi."}, False),
        ("system", {"type": "input_text", "text": "Hi."}, False),
        ("assistant", {"type": "output_text", "text": "Hi."}, False),
        ("assistant", {"type": "output_audio", "transcript": "Hi."}, True),
        ("user", {"type": "input_audio", "transcript": "Hi."}, True),
    ],
)
def test_a_message_comes_back_as_it_was_sent(role: str, part: dict[str, Any], spoken: bool) -> None:
    said = item(type="message", id="m1", role=role, content=[part])
    assert isinstance(said, SaidItem)
    assert (said.role, said.text, said.spoken, said.id) == (role, "Hi.", spoken, "m1")
    assert msgspec.to_builtins(wire_item(said)) == {
        "type": "message",
        "id": "m1",
        "object": "realtime.item",
        "status": "completed",
        "role": role,
        "content": [part],
    }


def test_audio_is_there_when_it_is_asked_for() -> None:
    said = item(type="message", role="user", content=[{"type": "input_audio", "audio": "AAAAAAAA"}])
    assert isinstance(said, SaidItem)
    assert (said.text, said.spoken) == (None, True)
    assert said.audio is not None
    told = msgspec.to_builtins(wire_item(said, Pcm()))
    assert told["content"] == [{"type": "input_audio", "transcript": None, "audio": "AAAAAAAA"}]
    assert "audio" not in msgspec.to_builtins(wire_item(said))["content"][0]


def test_calls_and_results_come_back_as_they_were_sent() -> None:
    call = item(type="function_call", id="c", call_id="call_7", name="weather", arguments='{"city":"Paris"}')
    assert isinstance(call, CallItem)
    assert call.call.id == "7"
    told = msgspec.to_builtins(wire_item(call))
    assert (told["call_id"], told["name"], told["arguments"]) == ("call_7", "weather", '{"city":"Paris"}')
    result = item(type="function_call_output", call_id="call_7", output="18 degrees")
    assert isinstance(result, ResultItem)
    assert result.call_id == "7"
    assert msgspec.to_builtins(wire_item(result))["call_id"] == "call_7"


@pytest.mark.parametrize(
    ("plain", "param"),
    [
        ({"type": "mcp_call"}, "item.type"),
        ({"type": "message", "role": "tool", "content": []}, "item.role"),
        ({"type": "message", "role": "user", "content": [{"type": "input_image"}]}, "item.content[0].type"),
        ({"type": "message", "role": "user", "content": [{"type": "output_text"}]}, "item.content[0].type"),
        ({"type": "message", "role": "user", "content": [{"type": "input_text"}]}, "item.content[0].text"),
        ({"type": "message", "role": "user", "content": [{"type": "input_audio"}]}, "item.content[0].audio"),
        ({"type": "message", "role": "user", "content": [BROKEN]}, "item.content[0].audio"),
        ({"type": "function_call", "name": "x", "arguments": "["}, "item.arguments"),
        ({"type": "function_call", "name": "x", "arguments": "[" * 100_000}, "item.arguments"),
        ({"type": "function_call", "arguments": "{}"}, "item.name"),
        ({"type": "function_call_output", "output": "x"}, "item.call_id"),
    ],
)  # fmt: skip
def test_an_item_that_cannot_be_is_refused_by_name(plain: dict[str, Any], param: str) -> None:
    problem = refused(**plain)
    assert (problem.status, problem.param) == (400, param)


def options(**asked: Any) -> Any:
    event = read(type="response.create", response=asked)
    assert isinstance(event, CreateResponse)
    assert event.response is not None
    return reply_options(event.response, SESSION, lambda name: f"own {name}")


def test_a_response_may_be_asked_for_in_its_own_way() -> None:
    found = options(
        instructions="Be brief.",
        output_modalities=["text"],
        conversation="none",
        max_output_tokens="inf",
        metadata={"topic": "x"},
        audio={"output": {"voice": "alloy", "format": {"type": "audio/pcmu"}}},
        input=[
            {"type": "item_reference", "id": "item_1"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Hi."}]},
        ],
        tools=[{"type": "function", "name": "weather"}],
        tool_choice="required",
    )
    assert (found["instructions"], found["output"], found["apart"]) == ("Be brief.", "text", True)
    assert (found["max_tokens"], found["metadata"], found["voice_name"]) == (None, {"topic": "x"}, "own alloy")
    reference, said = found["items"]
    assert (reference, said.text) == ("item_1", "Hi.")
    assert ([tool.name for tool in found["tools"]], found["tool_choice"].mode) == (["weather"], "required")
    assert options() == {}
    assert options(input=[]) == {"items": []}


def test_beta_words_become_todays() -> None:
    found = event_of(
        from_beta(
            {
                "type": "session.update",
                "session": {
                    "modalities": ["text", "audio"],
                    "voice": "alloy",
                    "input_audio_format": "g711_ulaw",
                    "output_audio_format": "pcm16",
                    "input_audio_transcription": {"model": "whisper-1"},
                    "turn_detection": None,
                    "temperature": 0.7,
                    "max_response_output_tokens": 7,
                },
            }
        )
    )
    assert isinstance(found, UpdateSession)
    session = patched(SESSION, found.session)
    assert session.output_modalities == ["audio"]
    assert (session.max_output_tokens, session.audio.output.voice) == (7, "alloy")
    assert session.audio.input.format.rate == 8000
    assert session.audio.input.turn_detection is None
    created = event_of(
        from_beta(
            {
                "type": "conversation.item.create",
                "item": {"type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}]},
            }
        )
    )
    assert isinstance(created, CreateItem)
    assert created.item.content is not None
    assert created.item.content[0].type == "output_text"
    asked = event_of(
        from_beta({"type": "response.create", "response": {"modalities": ["text"], "voice": "x", "temperature": 0.6}})
    )
    assert isinstance(asked, CreateResponse)
    assert asked.response is not None
    assert (asked.response.output_modalities, asked.response.voice) == (["text"], "x")


KEYS = st.sampled_from(
    [
        *("type", "event_id", "session", "audio", "item", "item_id", "content", "role", "response", "input", "id"),
        *("text", "content_index", "audio_end_ms", "previous_item_id", "tools", "modalities", "voice", "name"),
        *("input_audio_format", "turn_detection", "arguments", "call_id", "output", "metadata", "x"),
    ]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(
        [*NAMES, "message", "function_call", "user", "assistant", "input_text", "input_audio", "pcm16", "AAAA", "{}"]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)  # fmt: skip


@given(st.dictionaries(KEYS, VALUES, max_size=6), st.sampled_from([*NAMES, "transcription_session.update"]))
def test_no_json_breaks_the_reader(plain: dict[str, Any], kind: str) -> None:
    for given_type in (plain, {**plain, "type": kind}):
        for translated in (given_type, from_beta(given_type)):
            problem = fault_of(translated)
            assert problem is None or problem.status == 400, problem


def fault_of(plain: dict[str, Any]) -> Problem | None:
    """What a client is told of it, if anything."""
    try:
        event = event_of(plain_event(json.dumps(plain)))
        if isinstance(event, CreateItem):
            wire_item(item_of(event.item, Pcm()), Pcm())
        if isinstance(event, CreateResponse) and event.response is not None:
            reply_options(event.response, SESSION, lambda name: name)
    except BadEvent as error:
        return error.problem
    except Exception as error:
        return problem_of(error)
    return None


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_bytes_break_the_reader(data: str | bytes) -> None:
    assert bad(data).problem.status == 400
