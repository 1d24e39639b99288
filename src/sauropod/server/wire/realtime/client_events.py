"""What clients send: eleven events."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import attrs
import msgspec
from msgspec import Meta, Struct

from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.decoding import decoded
from sauropod.server.wire.realtime.formats import Format
from sauropod.server.wire.realtime.items import GivenItem
from sauropod.server.wire.realtime.patching import converted_strictly
from sauropod.server.wire.realtime.session import MaxTokens

__all__ = [
    "AppendAudio",
    "AskedResponse",
    "BadEvent",
    "CancelResponse",
    "ClearAudio",
    "ClearOutput",
    "ClientEvent",
    "CommitAudio",
    "CreateItem",
    "CreateResponse",
    "DeleteItem",
    "RetrieveItem",
    "TruncateItem",
    "UpdateSession",
    "event_of",
    "plain_event",
    "read_event",
]


@attrs.define(eq=False)
class BadEvent(Exception):
    """A message that is no event, and how its client calls it."""

    problem: Problem
    event_id: str | None


class _Event(Struct, tag_field="type", kw_only=True):
    event_id: str | None = None


class UpdateSession(_Event, tag="session.update"):
    session: dict[str, Any]


class AppendAudio(_Event, tag="input_audio_buffer.append"):
    audio: str


class CommitAudio(_Event, tag="input_audio_buffer.commit"):
    pass


class ClearAudio(_Event, tag="input_audio_buffer.clear"):
    pass


class ClearOutput(_Event, tag="output_audio_buffer.clear"):
    """Only for WebRTC, where the server knows what is played."""


class CreateItem(_Event, tag="conversation.item.create"):
    item: GivenItem
    previous_item_id: str | None = None


class RetrieveItem(_Event, tag="conversation.item.retrieve"):
    item_id: str


class TruncateItem(_Event, tag="conversation.item.truncate"):
    item_id: str
    content_index: int
    audio_end_ms: Annotated[int, Meta(ge=0, le=2**53)]


class DeleteItem(_Event, tag="conversation.item.delete"):
    item_id: str


class VoiceId(Struct):
    id: str


class AskedOutput(Struct):
    format: Format | None = None
    voice: str | VoiceId | None = None


class AskedAudio(Struct):
    output: AskedOutput | None = None


class AskedResponse(Struct, kw_only=True, forbid_unknown_fields=True):
    """What is different for one response. `prompt`, `reasoning` and `parallel_tool_calls` are accepted."""

    audio: AskedAudio | None = None
    conversation: str | None = None
    input: list[GivenItem] | None = None
    instructions: str | None = None
    max_output_tokens: MaxTokens | None = None
    metadata: dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]] | None = None
    output_modalities: list[Literal["text", "audio"]] | None = None
    parallel_tool_calls: bool | None = None
    prompt: dict[str, Any] | None = None
    reasoning: dict[str, Any] | None = None
    tool_choice: str | dict[str, Any] | None = None
    tools: list[dict[str, Any]] | None = None

    @property
    def voice(self) -> str | None:
        output = None if self.audio is None else self.audio.output
        voice = None if output is None else output.voice
        return voice.id if isinstance(voice, VoiceId) else voice

    @property
    def format(self) -> Format | None:
        output = None if self.audio is None else self.audio.output
        return None if output is None else output.format


class CreateResponse(_Event, tag="response.create"):
    response: AskedResponse | None = None


class CancelResponse(_Event, tag="response.cancel"):
    response_id: str | None = None


ClientEvent: TypeAlias = (
    UpdateSession
    | AppendAudio
    | CommitAudio
    | ClearAudio
    | ClearOutput
    | CreateItem
    | RetrieveItem
    | TruncateItem
    | DeleteItem
    | CreateResponse
    | CancelResponse
)
KINDS: tuple[type[Struct], ...] = ClientEvent.__args__
NAMES = tuple(sorted(str(kind.__struct_config__.tag) for kind in KINDS))
APPEND = b'"input_audio_buffer.append"'


def read_event(message: str | bytes) -> ClientEvent:
    """Raises `BadEvent`."""
    data = message.encode("utf-8", "replace") if isinstance(message, str) else message
    if APPEND in data[:256] or APPEND in data[-256:]:  # by far the most, and large: read once
        try:
            return decoded(AppendAudio, data)
        except Problem:
            pass  # said below, with its name
    return event_of(plain_event(data))


def plain_event(data: str | bytes) -> dict[str, Any]:
    """A message as plain JSON. Raises `BadEvent` for what is no object."""
    try:
        plain = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadEvent(invalid(f"The message is not valid JSON: {error}.", code="invalid_json"), None) from None
    if not isinstance(plain, dict):
        raise BadEvent(invalid("A message is an object with a 'type'.", "type", "invalid_type"), None)
    return plain


def event_of(plain: dict[str, Any]) -> ClientEvent:
    """Raises `BadEvent`."""
    given, kind = plain.get("event_id"), plain.get("type")
    event_id = given if isinstance(given, str) else None
    if kind not in NAMES:
        code = "invalid_value" if kind else "missing_required_parameter"
        raise BadEvent(
            invalid(f"There is no event of the type {kind!r}. There are: {', '.join(NAMES)}.", "type", code), event_id
        )
    try:
        found: ClientEvent = converted_strictly(ClientEvent, plain, "")  # type: ignore[arg-type]
        return found
    except Problem as problem:
        raise BadEvent(problem, event_id) from None
