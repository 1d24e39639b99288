"""The session object: what changes, what stays, and what it comes to."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod import SessionSettings, ToolChoice
from sauropod.server.problems import Problem, problem_of
from sauropod.server.wire.realtime.patching import patched
from sauropod.server.wire.realtime.session import (
    AnySession,
    InputOnly,
    RealtimeSession,
    SemanticVad,
    ServerVad,
    TranscriptionSession,
)
from sauropod.server.wire.realtime.settings import session_options
from server.realtime_rules import check_session

SESSION = RealtimeSession(id="sess_1", model="fake")
LISTENING = TranscriptionSession(id="sess_2", audio=InputOnly.by("whisper-1"))
TOOL = {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}


def plain(session: AnySession) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(session))
    return found


def refused(patch: dict[str, Any], session: RealtimeSession = SESSION) -> Problem:
    with pytest.raises(Exception) as raised:  # noqa: PT011 (whatever it is, a client is told a Problem)
        session_options(patched(session, patch))
    return problem_of(raised.value)


def test_every_field_is_told() -> None:
    check_session(plain(SESSION))
    check_session(plain(LISTENING))
    assert plain(SESSION)["audio"]["input"]["turn_detection"]["interrupt_response"] is True


def test_without_a_change_nothing_changes() -> None:
    assert patched(SESSION, {}) == SESSION
    assert patched(SESSION, {"type": "realtime", "model": "fake", "audio": {"input": {}, "output": {}}}) == SESSION
    assert patched(SESSION, plain(SESSION)) == SESSION
    assert patched(LISTENING, plain(LISTENING)) == LISTENING


def test_only_what_is_named_changes() -> None:
    found = patched(SESSION, {"instructions": "Be brief.", "audio": {"input": {"turn_detection": {"threshold": 0.7}}}})
    before, after = plain(SESSION), plain(found)
    before["instructions"], after["audio"]["input"]["turn_detection"]["threshold"] = "Be brief.", 0.5
    assert before == after
    assert isinstance(found.audio.input.turn_detection, ServerVad)
    assert found.audio.input.turn_detection.threshold == 0.7


def test_another_way_of_taking_turns_begins_with_its_own_defaults() -> None:
    found = patched(SESSION, {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": "low"}}}})
    assert found.audio.input.turn_detection == SemanticVad("low")
    check_session(plain(found))


def test_null_clears() -> None:
    changed = patched(
        SESSION,
        {
            "instructions": "x",
            "max_output_tokens": 5,
            "tools": [TOOL],
            "tool_choice": "required",
            "tracing": "auto",
            "audio": {"input": {"transcription": {"model": "whisper-1"}, "noise_reduction": {"type": "near_field"}}},
        },
    )
    assert changed != SESSION
    names = ("instructions", "max_output_tokens", "tools", "tool_choice", "tracing")
    cleared = patched(
        changed,
        {**dict.fromkeys(names), "audio": {"input": {"transcription": None, "noise_reduction": None}}},
    )
    assert cleared == SESSION
    without = patched(SESSION, {"audio": {"input": {"turn_detection": None}}})
    assert without.audio.input.turn_detection is None
    assert session_options(without)["turns"] is None


def _turns(**changes: Any) -> dict[str, Any]:
    return {"input": {"turn_detection": changes}}


@pytest.mark.parametrize(
    ("patch", "param", "code"),
    [
        ({"model": "other"}, "model", "cannot_update_model"),
        ({"type": "transcription"}, "type", "invalid_value"),
        ({"voice": "alloy"}, "voice", "unknown_parameter"),
        ({"audio": {"input": {"rate": 1}}}, "audio.input.rate", "unknown_parameter"),
        ({"audio": {"input": {"format": {"rate": 16000}}}}, "audio.input.format.rate", "invalid_value"),
        ({"audio": {"output": {"format": {"type": "audio/opus"}}}}, "audio.output.format.type", "invalid_value"),
        ({"audio": {"output": {"speed": 2}}}, "audio.output.speed", "invalid_type"),
        ({"audio": 5}, "audio", "invalid_type"),
        ({"output_modalities": []}, "output_modalities", "invalid_value"),
        ({"output_modalities": ["video"]}, "output_modalities[0]", "invalid_value"),
        ({"max_output_tokens": 0}, "max_output_tokens", "invalid_type"),
        ({"truncation": "never"}, "truncation", "invalid_value"),
        ({"tools": [{"type": "mcp", "server_label": "x"}]}, "tools[0].type", "invalid_value"),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "missing_required_parameter"),
        ({"tools": [TOOL], "tool_choice": {"type": "function", "name": "x"}}, "tool_choice", None),
        ({"audio": _turns(type="magic")}, "audio.input.turn_detection.type", "invalid_value"),
        ({"audio": _turns(threshold=2)}, "audio.input.turn_detection.threshold", "invalid_type"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_name(patch: dict[str, Any], param: str, code: str | None) -> None:
    problem = refused(patch)
    assert (problem.status, problem.param) == (400, f"session.{param}"), problem
    if code is not None:
        assert problem.code == code


def test_a_session_is_what_the_library_is_told() -> None:
    found = patched(
        SESSION,
        {
            "instructions": "Be brief.",
            "tools": [TOOL],
            "tool_choice": {"type": "function", "name": "weather"},
            "max_output_tokens": 99,
            "truncation": "disabled",
            "output_modalities": ["text"],
            "audio": {
                "input": {
                    "transcription": {"model": "whisper-1", "language": "de"},
                    "turn_detection": {
                        "type": "server_vad",
                        "threshold": 0.6,
                        "prefix_padding_ms": 100,
                        "silence_duration_ms": 150,
                        "idle_timeout_ms": 6000,
                        "create_response": False,
                        "interrupt_response": False,
                    },
                },
                "output": {"speed": 1.25, "voice": {"id": "alloy"}},
            },
        },
    )
    settings = SessionSettings(**session_options(found, "af_alloy"))
    assert (settings.instructions, settings.output, settings.voice_name) == ("Be brief.", "text", "af_alloy")
    assert (settings.max_tokens, settings.overflow, settings.speed, settings.language) == (99, "error", 1.25, "de")
    assert [getattr(tool, "name", None) for tool in settings.tools] == ["weather"]
    assert settings.tool_choice == ToolChoice.only("weather")
    turns = settings.turns
    assert turns is not None
    assert (turns.respond, turns.interrupt, turns.idle_seconds, turns.patience) == (False, False, 6.0, None)
    endpoint = turns.endpoint
    assert (endpoint.threshold, endpoint.prefix_seconds, endpoint.silence_seconds) == (0.6, 0.1, 0.15)
    assert endpoint.pause_seconds <= endpoint.silence_seconds
    assert found.audio.output.voice == "alloy"


@pytest.mark.parametrize(("eagerness", "seconds"), [("low", 8), ("medium", 4), ("auto", 4), ("high", 2)])
def test_eagerness_is_patience(eagerness: str, seconds: float) -> None:
    found = patched(SESSION, {"audio": {"input": {"turn_detection": {"type": "semantic_vad", "eagerness": eagerness}}}})
    turns = session_options(found)["turns"]
    assert turns is not None
    assert turns.patience == seconds


def test_truncation_by_a_ratio_leaves_out_what_is_oldest() -> None:
    found = patched(SESSION, {"truncation": {"type": "retention_ratio", "retention_ratio": 0.8}})
    assert (session_options(found)["overflow"], session_options(found)["retention"]) == ("truncate", 0.8)
    assert session_options(SESSION)["retention"] == 0.875
    check_session(plain(found))


def test_in_a_transcription_session_nobody_answers() -> None:
    found = patched(LISTENING, {"audio": {"input": {"transcription": {"language": "en"}}}})
    assert found.audio.input.transcription is not None
    assert found.audio.input.transcription.model == "whisper-1"
    options = session_options(found)
    assert options["turns"] is not None
    assert (options["turns"].respond, options["turns"].interrupt) == (False, False)
    assert options["language"] == "en"
    with pytest.raises(Problem, match=r"Unknown parameter: 'session\.instructions'"):
        patched(LISTENING, {"instructions": "x"})
    manual = patched(LISTENING, {"audio": {"input": {"turn_detection": None}}})
    assert session_options(manual)["turns"] is None


NAMES = st.sampled_from(
    [
        *("audio", "input", "output", "format", "type", "turn_detection", "transcription", "voice", "speed", "model"),
        *("tools", "tool_choice", "instructions", "truncation", "id", "threshold", "rate", "x", "max_output_tokens"),
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.sampled_from(
        ["realtime", "auto", "inf", "audio", "text", "audio/pcm", "audio/pcmu", "server_vad", "semantic_vad", ""]
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(NAMES, JSON, max_size=5))
def test_any_change_is_taken_whole_or_refused(patch: dict[str, Any]) -> None:
    problem = None
    try:
        found = patched(SESSION, patch)
        SessionSettings(**session_options(found))
    except Exception as error:
        problem = problem_of(error)
    if problem is not None:
        assert problem.status == 400, problem
        return
    check_session(plain(found))
    assert (found.id, found.model) == (SESSION.id, SESSION.model)
    assert patched(found, plain(found)) == found
