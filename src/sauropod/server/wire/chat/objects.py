"""What /v1/chat/completions answers: a completion, or chunks of it."""

from __future__ import annotations

from typing import Literal, TypeAlias

from msgspec import UNSET, Struct, UnsetType

from sauropod.server.wire.chat.logprobs import ChoiceLogprobs
from sauropod.server.wire.chat.usage import TokenUsage

__all__ = [
    "Answered",
    "ChatChoice",
    "ChatChunk",
    "ChatCompletion",
    "ChunkChoice",
    "Custom",
    "Delta",
    "FinishReason",
    "Function",
    "ToolCallDelta",
    "WholeCall",
]

FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "function_call"]


class Function(Struct):
    """A function that is called: its name, and its arguments as JSON; in a chunk, more of them."""

    name: str | UnsetType = UNSET
    arguments: str | UnsetType = UNSET


class Custom(Struct):
    """A custom tool that is called, and the text it is given."""

    name: str | UnsetType = UNSET
    input: str | UnsetType = UNSET


class WholeCall(Struct):
    """A call in a completion."""

    id: str
    type: Literal["function", "custom"]
    function: Function | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET


class ToolCallDelta(Struct):
    """More of a call in a chunk. The first of a call has its id, its type and its name."""

    index: int
    id: str | UnsetType = UNSET
    type: Literal["function", "custom"] | UnsetType = UNSET
    function: Function | UnsetType = UNSET
    custom: Custom | UnsetType = UNSET


class Delta(Struct):
    """What a chunk adds to a message."""

    role: Literal["assistant"] | UnsetType = UNSET
    content: str | UnsetType = UNSET
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[ToolCallDelta] | UnsetType = UNSET
    function_call: Function | UnsetType = UNSET


class Answered(Struct):
    """A whole message. Without thoughts or calls these are left out; `content` is null where there are only calls."""

    role: Literal["assistant"] = "assistant"
    content: str | None = None
    refusal: None = None
    reasoning_content: str | UnsetType = UNSET
    tool_calls: list[WholeCall] | UnsetType = UNSET
    function_call: Function | UnsetType = UNSET


class ChatChoice(Struct):
    """One of the answers."""

    index: int
    message: Answered
    logprobs: ChoiceLogprobs | None
    finish_reason: FinishReason


class ChunkChoice(Struct):
    """What a chunk adds to one of the answers. `finish_reason` is in the last."""

    index: int
    delta: Delta
    logprobs: ChoiceLogprobs | None = None
    finish_reason: FinishReason | None = None


class ChatCompletion(Struct):
    """The answer to a request."""

    id: str
    created: int
    model: str
    choices: list[ChatChoice]
    usage: TokenUsage
    service_tier: Literal["default"] | UnsetType = UNSET
    object: Literal["chat.completion"] = "chat.completion"


class ChatChunk(Struct):
    """A piece of it. `usage` is left out unless it was asked for, and then null in all but the last."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: TokenUsage | UnsetType | None = UNSET
    service_tier: Literal["default"] | UnsetType = UNSET
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
