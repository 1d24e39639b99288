"""The response object: a reply as far as it has come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from sauropod import Reply, Usage
from sauropod.server.problems import problem_of
from sauropod.server.wire.realtime.formats import Format
from sauropod.server.wire.realtime.items import WireItem

__all__ = ["RealtimeResponse", "reply_id", "response_id", "snapshot"]

REASONS: Mapping[str, str] = {
    "interrupted": "turn_detected",
    "cancelled": "client_cancelled",
    "max_tokens": "max_output_tokens",
    "context_length": "max_output_tokens",
}


class ResponseOutput(Struct, kw_only=True):
    format: Format
    voice: str | None


class ResponseAudio(Struct, kw_only=True):
    output: ResponseOutput


class StatusDetails(Struct, kw_only=True):
    """Why a response is not complete."""

    type: str
    reason: str | None = None
    error: dict[str, Any] | None = None


class CachedDetails(Struct, kw_only=True):
    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0


class InputDetails(Struct, kw_only=True):
    text_tokens: int = 0
    audio_tokens: int = 0
    image_tokens: int = 0
    cached_tokens: int = 0
    cached_tokens_details: CachedDetails


class OutputDetails(Struct, kw_only=True):
    text_tokens: int = 0
    audio_tokens: int = 0


class ResponseUsage(Struct, kw_only=True):
    """Tokens of text, which all are here. They are 0 where the model was stopped: nobody counted."""

    total_tokens: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    input_token_details: InputDetails
    output_token_details: OutputDetails

    @classmethod
    def of(cls, usage: Usage | None) -> ResponseUsage:
        if usage is None:
            usage = Usage(0, 0, 0)
        cached = usage.cached_tokens
        return cls(
            total_tokens=usage.total_tokens,
            input_tokens=usage.prompt_tokens,
            output_tokens=usage.completion_tokens,
            input_token_details=InputDetails(
                text_tokens=usage.prompt_tokens,
                cached_tokens=cached,
                cached_tokens_details=CachedDetails(text_tokens=cached),
            ),
            output_token_details=OutputDetails(text_tokens=usage.completion_tokens),
        )


class RealtimeResponse(Struct, kw_only=True):
    """Every field there is."""

    object: Literal["realtime.response"] = "realtime.response"
    id: str
    status: str
    status_details: StatusDetails | None
    output: Sequence[WireItem]
    conversation_id: str | None
    output_modalities: list[str]
    max_output_tokens: int | Literal["inf"]
    audio: ResponseAudio
    usage: ResponseUsage | None
    metadata: Mapping[str, str] | None


def response_id(reply: str) -> str:
    """What clients call a reply."""
    return f"resp_{reply.removeprefix('reply_')}"


def reply_id(response: str) -> str:
    """What the session calls a response."""
    return f"reply_{response.removeprefix('resp_')}"


def snapshot(
    reply: Reply, output: Sequence[WireItem], conversation_id: str | None, form: Format, voice: str | None
) -> RealtimeResponse:
    """The response now."""
    return RealtimeResponse(
        id=response_id(reply.id),
        status=reply.status,
        status_details=_details(reply),
        output=output,
        conversation_id=None if reply.apart else conversation_id,
        output_modalities=[reply.output],
        max_output_tokens=reply.max_tokens or "inf",
        audio=ResponseAudio(output=ResponseOutput(format=form, voice=voice)),
        usage=None if reply.status == "in_progress" else ResponseUsage.of(reply.usage),
        metadata=reply.metadata or None,
    )


def _details(reply: Reply) -> StatusDetails | None:
    if reply.status in ("in_progress", "completed"):
        return None
    error = None
    if reply.error is not None:
        problem = problem_of(reply.error)
        error = {"type": problem.type, "code": problem.code, "message": problem.message}
    return StatusDetails(type=reply.status, reason=None if reply.reason is None else REASONS[reply.reason], error=error)
