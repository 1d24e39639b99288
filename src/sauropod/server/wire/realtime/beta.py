"""The beta's words: names of events and fields as they were before the API was released, both ways.

Clients that send `OpenAI-Beta: realtime=v1` know no others. What they send is put into today's words before it is read,
and what they are told is put into theirs after it is written, so nothing else knows of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sauropod.server.wire.realtime.server_events import ServerEvent

__all__ = ["from_beta", "to_beta"]

NAMES = {
    "conversation.item.added": "conversation.item.created",
    "response.output_text.delta": "response.text.delta",
    "response.output_text.done": "response.text.done",
    "response.output_audio.delta": "response.audio.delta",
    "response.output_audio.done": "response.audio.done",
    "response.output_audio_transcript.delta": "response.audio_transcript.delta",
    "response.output_audio_transcript.done": "response.audio_transcript.done",
}
"""Today's, and the beta's."""
UNTOLD = frozenset({"conversation.item.done", "input_audio_buffer.timeout_triggered"})
"""What the beta did not have."""
FORMATS = {"pcm16": "audio/pcm", "g711_ulaw": "audio/pcmu", "g711_alaw": "audio/pcma"}
OLD_FORMATS = {new: old for old, new in FORMATS.items()}
PARTS = {"text": "output_text", "audio": "output_audio"}
OLD_PARTS = {new: old for old, new in PARTS.items()}
INPUT = {
    "input_audio_noise_reduction": "noise_reduction",
    "input_audio_transcription": "transcription",
    "turn_detection": "turn_detection",
}
TEMPERATURE = 0.8
"""What the beta says where nobody chose. Whatever is chosen is accepted, and has no effect."""


def from_beta(plain: dict[str, Any]) -> dict[str, Any]:
    """What a client of the beta sends, in today's words. What makes no sense is left for the reader to refuse."""
    kind = plain.get("type")
    if kind == "transcription_session.update":
        plain = {**plain, "type": "session.update"}
        return {**plain, "session": _session(plain.get("session"), "transcription")}
    if kind == "session.update":
        return {**plain, "session": _session(plain.get("session"), "realtime")}
    if kind == "conversation.item.create":
        return {**plain, "item": _item(plain.get("item"))}
    if kind == "response.create" and plain.get("response") is not None:
        return {**plain, "response": _response(plain["response"])}
    return plain


def to_beta(event: ServerEvent) -> dict[str, Any] | None:
    """What a client of the beta is told of it; None if nothing."""
    plain: dict[str, Any] = msgspec.to_builtins(event)
    kind = plain["type"]
    if kind in UNTOLD:
        return None
    plain["type"] = NAMES.get(kind, kind)
    if "session" in plain:
        if plain["session"]["type"] == "transcription":
            plain["type"] = f"transcription_{kind}"
        plain["session"] = _old_session(plain["session"])
    if "response" in plain:
        plain["response"] = _old_response(plain["response"])
    if "item" in plain:
        plain["item"] = _old_item(plain["item"])
    if kind == "response.function_call_arguments.done":
        del plain["name"]
    return plain


# -- what clients send ---------------------------------------------------------------------------------------------


def _session(given: Any, kind: str) -> Any:
    if not isinstance(given, dict):
        return given
    left = {name: value for name, value in given.items() if name not in ("temperature", "client_secret")}
    heard = {new: left.pop(old) for old, new in INPUT.items() if old in left}
    _put_format(left, heard, "input_audio_format")
    if kind == "transcription":
        left.pop("modalities", None)
        return {**left, "type": kind, "audio": {"input": heard}}
    spoken: dict[str, Any] = {name: left.pop(name) for name in ("voice", "speed") if name in left}
    _put_format(left, spoken, "output_audio_format")
    _put_common(left)
    return {**left, "type": kind, "audio": {"input": heard, "output": spoken}}


def _response(given: Any) -> Any:
    if not isinstance(given, dict):
        return given
    left = {name: value for name, value in given.items() if name != "temperature"}
    spoken: dict[str, Any] = {"voice": left.pop("voice")} if "voice" in left else {}
    _put_format(left, spoken, "output_audio_format")
    _put_common(left)
    if isinstance(left.get("input"), list):
        left["input"] = [_item(each) for each in left["input"]]
    return {**left, "audio": {"output": spoken}} if spoken else left


def _put_common(left: dict[str, Any]) -> None:
    """What sessions and responses have alike."""
    if "modalities" in left:
        said = left.pop("modalities")
        both = isinstance(said, list) and set(map(str, said)) == {"text", "audio"}
        left["output_modalities"] = ["audio"] if both else said
    for old in ("max_response_output_tokens", "max_tokens"):
        if old in left:
            left["max_output_tokens"] = left.pop(old)


def _put_format(left: dict[str, Any], side: dict[str, Any], name: str) -> None:
    if name in left:
        old = left.pop(name)
        side["format"] = {"type": FORMATS.get(old, old)} if isinstance(old, str) else old


def _item(given: Any) -> Any:
    if not isinstance(given, dict) or given.get("role") != "assistant" or not isinstance(given.get("content"), list):
        return given
    return {**given, "content": [_renamed(part, PARTS) for part in given["content"]]}


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    if not isinstance(part, dict) or not isinstance(part.get("type"), str):
        return part
    return {**part, "type": names.get(part["type"], part["type"])}


# -- what they are told --------------------------------------------------------------------------------------------


def _old_session(session: dict[str, Any]) -> dict[str, Any]:
    heard = session["audio"]["input"]
    old: dict[str, Any] = {"id": session["id"], "object": session["object"], "expires_at": session["expires_at"]}
    old |= {name: heard[new] for name, new in INPUT.items()}
    old["input_audio_format"] = OLD_FORMATS[heard["format"]["type"]]
    if session["type"] == "transcription":
        return {**old, "modalities": ["text"]}
    spoken = session["audio"]["output"]
    return {
        **old,
        "model": session["model"],
        "modalities": _old_modalities(session["output_modalities"]),
        "instructions": session["instructions"],
        "voice": spoken["voice"],
        "output_audio_format": OLD_FORMATS[spoken["format"]["type"]],
        "speed": spoken["speed"],
        "tools": session["tools"],
        "tool_choice": session["tool_choice"],
        "temperature": TEMPERATURE,
        "max_response_output_tokens": session["max_output_tokens"],
        "tracing": session["tracing"],
    }


def _old_response(response: dict[str, Any]) -> dict[str, Any]:
    spoken = response.pop("audio")["output"]
    response["modalities"] = _old_modalities(response.pop("output_modalities"))
    response["output"] = [_old_item(item) for item in response["output"]]
    return {
        **response,
        "voice": spoken["voice"],
        "output_audio_format": OLD_FORMATS[spoken["format"]["type"]],
        "temperature": TEMPERATURE,
    }


def _old_modalities(said: list[str]) -> list[str]:
    return ["text", "audio"] if "audio" in said else ["text"]


def _old_item(item: dict[str, Any]) -> dict[str, Any]:
    if item.get("role") != "assistant":
        return item
    return {**item, "content": [_renamed(part, OLD_PARTS) for part in item["content"]]}
