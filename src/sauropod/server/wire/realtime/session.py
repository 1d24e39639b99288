"""The session object: what a session is like, as clients are told and as they change it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from sauropod.server.wire.realtime.formats import Format, Pcm

__all__ = [
    "LOGPROBS",
    "AnySession",
    "InputOnly",
    "MaxTokens",
    "NoiseReduction",
    "RealtimeSession",
    "SemanticVad",
    "ServerVad",
    "Transcription",
    "TranscriptionSession",
    "TurnDetection",
]

LOGPROBS = "item.input_audio_transcription.logprobs"

Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
Share = Annotated[float, Meta(ge=0, le=1)]
MaxTokens: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)] | Literal["inf"]


class ServerVad(Struct, tag="server_vad", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """A silence ends a turn."""

    threshold: Share = 0.5
    prefix_padding_ms: Milliseconds = 300
    silence_duration_ms: Milliseconds = 500
    idle_timeout_ms: Annotated[int, Meta(ge=100, le=3_600_000)] | None = None
    create_response: bool = True
    interrupt_response: bool = True


class SemanticVad(Struct, tag="semantic_vad", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """A turn ends where it sounds complete."""

    eagerness: Literal["low", "medium", "high", "auto"] = "auto"
    create_response: bool = True
    interrupt_response: bool = True


TurnDetection: TypeAlias = ServerVad | SemanticVad


class Transcription(Struct, frozen=True, forbid_unknown_fields=True):
    """That the client wants to know what was said. Only the language makes a difference here."""

    model: str | None = None
    language: str | None = None
    languages: list[str] | None = None
    prompt: str | None = None
    keywords: list[str] | None = None
    delay: str | None = None


class NoiseReduction(Struct, frozen=True, forbid_unknown_fields=True):
    """Accepted: what hears here was made for noise."""

    type: Literal["near_field", "far_field"] | None = None
    strength: float | None = None


class Input(Struct, frozen=True, forbid_unknown_fields=True):
    """How the user is heard."""

    format: Format = Pcm()
    noise_reduction: NoiseReduction | None = None
    transcription: Transcription | None = None
    turn_detection: TurnDetection | None = ServerVad()


class Output(Struct, frozen=True, forbid_unknown_fields=True):
    """How the session speaks."""

    format: Format = Pcm()
    voice: str | None = None
    speed: Annotated[float, Meta(ge=0.25, le=1.5)] = 1.0


class Audio(Struct, frozen=True, forbid_unknown_fields=True):
    """Both."""

    input: Input = Input()
    output: Output = Output()


class InputOnly(Struct, frozen=True, forbid_unknown_fields=True):
    """How the user is heard, where nobody answers."""

    input: Input = Input(transcription=Transcription())

    @classmethod
    def by(cls, model: str) -> InputOnly:
        """Transcripts by that model."""
        return cls(Input(transcription=Transcription(model=model)))


class TokenLimits(Struct, frozen=True):
    """Accepted."""

    post_instructions: int | None = None


class RetentionRatio(Struct, tag="retention_ratio", tag_field="type", frozen=True):
    """The oldest turns are left out where there is no room, as with "auto"."""

    retention_ratio: Share
    token_limits: TokenLimits | None = None


class RealtimeSession(Struct, tag="realtime", tag_field="type", frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A conversation. `tracing`, `prompt`, `reasoning` and `parallel_tool_calls` are accepted."""

    id: str
    object: Literal["realtime.session"] = "realtime.session"
    model: str
    expires_at: int | None = None
    output_modalities: list[Literal["text", "audio"]] = msgspec.field(default_factory=lambda: ["audio"])
    instructions: str = ""
    tools: list[dict[str, Any]] = []
    tool_choice: str | dict[str, Any] = "auto"
    parallel_tool_calls: bool | None = None
    max_output_tokens: MaxTokens = "inf"
    reasoning: dict[str, Any] | None = None
    truncation: Literal["auto", "disabled"] | RetentionRatio = "auto"
    tracing: str | dict[str, Any] | None = None
    prompt: dict[str, Any] | None = None
    include: list[str] | None = None
    audio: Audio = Audio()


class TranscriptionSession(
    Struct, tag="transcription", tag_field="type", frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """Somebody is heard, and nobody answers."""

    id: str
    object: Literal["realtime.transcription_session"] = "realtime.transcription_session"
    expires_at: int | None = None
    include: list[str] | None = None
    audio: InputOnly = InputOnly()


AnySession: TypeAlias = RealtimeSession | TranscriptionSession
