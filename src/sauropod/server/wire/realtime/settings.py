"""A session object as what the library's session is told, and what a client asks of one reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sauropod import EndpointSettings, Item, ReplyOptions, SessionOptions, Tool, ToolChoice, TurnTaking
from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.realtime.client_events import AskedResponse
from sauropod.server.wire.realtime.items import item_of
from sauropod.server.wire.realtime.session import (
    AnySession,
    RealtimeSession,
    RetentionRatio,
    SemanticVad,
    ServerVad,
    TranscriptionSession,
    TurnDetection,
)
from sauropod.server.wire.responses.tools import Toolbox, choice_of

__all__ = ["reply_options", "session_options"]

PATIENCE = {"low": 8.0, "medium": 4.0, "auto": 4.0, "high": 2.0}
"""Seconds of silence after which a turn is over that does not sound complete."""
PAUSE = 0.2


def session_options(session: AnySession, voice_name: str | Mapping[str, float] | None = None) -> SessionOptions:
    """What `Session` and `Session.update` take. `voice_name` is how the voice is called there. Raises `Problem`."""
    if isinstance(session, TranscriptionSession):
        return _listening(session)
    tools, choice = _tools(session.tools, session.tool_choice, "session")
    options: SessionOptions = {
        "instructions": session.instructions,
        "tools": tools,
        "tool_choice": choice,
        "output": "audio" if "audio" in session.output_modalities else "text",
        "voice_name": voice_name,
        "speed": None if session.audio.output.speed == 1 else session.audio.output.speed,
        "language": _language(session),
        "max_tokens": None if session.max_output_tokens == "inf" else session.max_output_tokens,
        "overflow": "error" if session.truncation == "disabled" else "truncate",
        "retention": session.truncation.retention_ratio if isinstance(session.truncation, RetentionRatio) else 0.875,
        "turns": _turns(session.audio.input.turn_detection),
    }
    return options


def reply_options(
    asked: AskedResponse, session: RealtimeSession, voice_named: Callable[[str], str | None]
) -> ReplyOptions:
    """What `Session.respond` takes. `voice_named` finds a voice, or raises. Raises `Problem`."""
    options: ReplyOptions = {}
    if asked.instructions is not None:
        options["instructions"] = asked.instructions
    if asked.output_modalities:
        options["output"] = "audio" if "audio" in asked.output_modalities else "text"
    if asked.tools is not None or asked.tool_choice is not None:
        tools = session.tools if asked.tools is None else asked.tools
        choice = session.tool_choice if asked.tool_choice is None else asked.tool_choice
        options["tools"], options["tool_choice"] = _tools(tools, choice, "response")
    if asked.max_output_tokens is not None:
        options["max_tokens"] = None if asked.max_output_tokens == "inf" else asked.max_output_tokens
    if (voice := asked.voice) is not None:
        options["voice_name"] = voice_named(voice)
    if asked.conversation == "none":
        options["apart"] = True
    if asked.input is not None:
        options["items"] = _items(asked, session)
    if asked.metadata:
        options["metadata"] = asked.metadata
    return options


def _listening(session: TranscriptionSession) -> SessionOptions:
    turns = _turns(session.audio.input.turn_detection, answers=False)
    return {
        "language": _language(session),
        "turns": turns,
        "output": "text",
        "prefill": False,
        "speculate": False,
    }


def _language(session: AnySession) -> str | None:
    asked = session.audio.input.transcription
    if asked is None:
        return None
    return asked.language or (asked.languages[0] if asked.languages and len(asked.languages) == 1 else None)


def _turns(detection: TurnDetection | None, *, answers: bool = True) -> TurnTaking | None:
    match detection:
        case None:
            return None
        case ServerVad():
            silence = detection.silence_duration_ms / 1000
            idle = detection.idle_timeout_ms
            return TurnTaking(
                endpoint=EndpointSettings(
                    threshold=detection.threshold,
                    prefix_seconds=detection.prefix_padding_ms / 1000,
                    silence_seconds=silence,
                    pause_seconds=min(PAUSE, silence),
                ),
                respond=answers and detection.create_response,
                interrupt=answers and detection.interrupt_response,
                idle_seconds=None if idle is None or not answers else idle / 1000,
            )
        case SemanticVad():
            return TurnTaking(
                patience=PATIENCE[detection.eagerness],
                respond=answers and detection.create_response,
                interrupt=answers and detection.interrupt_response,
            )


def _tools(
    given: Sequence[Mapping[str, Any]], choice: str | Mapping[str, Any], param: str
) -> tuple[list[Tool], ToolChoice]:
    for at, each in enumerate(given):
        if each.get("type", "function") != "function":
            raise invalid(
                f"'{param}.tools[{at}]' is of the type {each.get('type')!r}; a session calls functions only.",
                f"{param}.tools[{at}].type",
                "invalid_value",
            )
    toolbox = Toolbox.of([{**each, "type": "function"} for each in given], f"{param}.tools")
    try:
        return toolbox.tools, choice_of(choice, toolbox)
    except Problem as problem:
        place = f"{param}.{problem.param}" if problem.param else None
        raise Problem(problem.status, problem.message, problem.type, problem.code, place) from None


def _items(asked: AskedResponse, session: RealtimeSession) -> list[Item | str]:
    found: list[Item | str] = []
    for at, each in enumerate(asked.input or ()):
        param = f"response.input[{at}]"
        if each.type == "item_reference":
            if not each.id:
                raise invalid(f"Missing required parameter: '{param}.id'.", f"{param}.id", "missing_required_parameter")
            found.append(each.id)
        else:
            found.append(item_of(each, session.audio.input.format, param))
    return found
