"""What clients are told: events with every field, as OpenAI has them."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct, UnsetType

from sauropod.server.problems import Problem
from sauropod.server.wire.realtime.items import WireItem
from sauropod.server.wire.realtime.response import RealtimeResponse
from sauropod.server.wire.realtime.session import AnySession

__all__ = ["ServerEvent", "error_of"]


class ServerEvent(Struct, tag_field="type", kw_only=True):
    """Anything that is told. Every event has an id of its own."""

    event_id: str


class Error(Struct, kw_only=True):
    """What was wrong, and with which of the client's events."""

    type: str
    code: str | None
    message: str
    param: str | None
    event_id: str | None


class ErrorEvent(ServerEvent, tag="error"):
    error: Error


def error_of(problem: Problem, event_id: str, of: str | None) -> ErrorEvent:
    """An error tells the client's own id of the event that caused it, if it gave one. It ends nothing."""
    told = Error(
        type=problem.type, code=problem.code, message=problem.message, param=problem.param or None, event_id=of
    )
    return ErrorEvent(event_id=event_id, error=told)


# -- the session and the conversation ------------------------------------------------------------------------------


class SessionCreated(ServerEvent, tag="session.created"):
    session: AnySession


class SessionChanged(ServerEvent, tag="session.updated"):
    session: AnySession


class Conversation(Struct, kw_only=True):
    id: str
    object: Literal["realtime.conversation"] = "realtime.conversation"


class ConversationCreated(ServerEvent, tag="conversation.created"):
    conversation: Conversation


class WireItemAdded(ServerEvent, tag="conversation.item.added"):
    previous_item_id: str | None
    item: WireItem


class WireItemDone(ServerEvent, tag="conversation.item.done"):
    previous_item_id: str | None
    item: WireItem


class ItemRetrieved(ServerEvent, tag="conversation.item.retrieved"):
    item: WireItem


class ItemDeleted(ServerEvent, tag="conversation.item.deleted"):
    item_id: str


class WireItemTruncated(ServerEvent, tag="conversation.item.truncated"):
    item_id: str
    content_index: int
    audio_end_ms: int


# -- the user ------------------------------------------------------------------------------------------------------


class SpeechStarted(ServerEvent, tag="input_audio_buffer.speech_started"):
    audio_start_ms: int
    item_id: str


class SpeechStopped(ServerEvent, tag="input_audio_buffer.speech_stopped"):
    audio_end_ms: int
    item_id: str


class Committed(ServerEvent, tag="input_audio_buffer.committed"):
    previous_item_id: str | None
    item_id: str


class Cleared(ServerEvent, tag="input_audio_buffer.cleared"):
    pass


class TimeoutTriggered(ServerEvent, tag="input_audio_buffer.timeout_triggered"):
    audio_start_ms: int
    audio_end_ms: int
    item_id: str


class Logprob(Struct):
    """How sure a word is: a recogniser's tokens are not told here."""

    token: str
    logprob: float
    bytes: list[int]


class DurationUsage(Struct, tag="duration", tag_field="type"):
    seconds: float


class _OfTranscription(ServerEvent):
    item_id: str
    content_index: int


class TranscriptionDelta(_OfTranscription, tag="conversation.item.input_audio_transcription.delta"):
    delta: str


class TranscriptionCompleted(_OfTranscription, tag="conversation.item.input_audio_transcription.completed"):
    transcript: str
    usage: DurationUsage
    logprobs: list[Logprob] | UnsetType = UNSET


class TranscriptionFailed(_OfTranscription, tag="conversation.item.input_audio_transcription.failed"):
    error: dict[str, Any]


# -- responses -----------------------------------------------------------------------------------------------------


class ResponseCreated(ServerEvent, tag="response.created"):
    response: RealtimeResponse


class ResponseDone(ServerEvent, tag="response.done"):
    response: RealtimeResponse


class OutputItemAdded(ServerEvent, tag="response.output_item.added"):
    response_id: str
    output_index: int
    item: WireItem


class OutputItemDone(ServerEvent, tag="response.output_item.done"):
    response_id: str
    output_index: int
    item: WireItem


class ContentPart(Struct, kw_only=True):
    type: Literal["text", "audio"]
    text: str | UnsetType = UNSET
    transcript: str | UnsetType = UNSET


class _OfItem(ServerEvent):
    response_id: str
    item_id: str
    output_index: int


class _OfPart(_OfItem):
    content_index: int


class ContentPartAdded(_OfPart, tag="response.content_part.added"):
    part: ContentPart


class ContentPartDone(_OfPart, tag="response.content_part.done"):
    part: ContentPart


class OutputTextDelta(_OfPart, tag="response.output_text.delta"):
    delta: str


class OutputTextDone(_OfPart, tag="response.output_text.done"):
    text: str


class OutputAudioDelta(_OfPart, tag="response.output_audio.delta"):
    delta: str


class OutputAudioDone(_OfPart, tag="response.output_audio.done"):
    pass


class TranscriptDelta(_OfPart, tag="response.output_audio_transcript.delta"):
    delta: str


class TranscriptDone(_OfPart, tag="response.output_audio_transcript.done"):
    transcript: str


class ArgumentsDelta(_OfItem, tag="response.function_call_arguments.delta"):
    call_id: str
    delta: str


class ArgumentsDone(_OfItem, tag="response.function_call_arguments.done"):
    call_id: str
    name: str
    arguments: str
