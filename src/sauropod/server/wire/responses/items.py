"""Items: what a conversation is made of, as it is told and as it is kept."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

__all__ = [
    "Compaction",
    "CustomToolCall",
    "FunctionCall",
    "Logprob",
    "Message",
    "OutputItem",
    "OutputText",
    "Part",
    "Reasoning",
    "ReasoningText",
    "Refusal",
    "Status",
    "SummaryText",
    "TopLogprob",
    "plain",
]

Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]


class TopLogprob(Struct):
    """A token that could have come, and the natural logarithm of its probability."""

    token: str
    logprob: float
    bytes: list[int]


class Logprob(Struct):
    """A token that came, and the likeliest ones at its place."""

    token: str
    logprob: float
    bytes: list[int]
    top_logprobs: list[TopLogprob]


class OutputText(Struct, tag="output_text"):
    """What the model says."""

    text: str
    annotations: list[dict[str, Any]] = []
    logprobs: list[Logprob] = []


class Refusal(Struct, tag="refusal"):
    """What a model says instead of an answer. No model here writes these; they are taken back as input."""

    refusal: str


class ReasoningText(Struct, tag="reasoning_text"):
    """What the model thinks."""

    text: str


class SummaryText(Struct, tag="summary_text"):
    """Thoughts, summed up. No model here writes these; they are taken back as input."""

    text: str


Part: TypeAlias = OutputText | Refusal | ReasoningText


class Message(Struct, tag="message", kw_only=True):
    """What the assistant says, as an item of the output."""

    id: str
    status: Status
    role: Literal["assistant"] = "assistant"
    content: list[OutputText | Refusal] = []
    phase: str | UnsetType | None = UNSET


class Reasoning(Struct, tag="reasoning", kw_only=True):
    """Thoughts. `encrypted_content` holds them once more, for clients that keep them without reading them."""

    id: str
    summary: list[SummaryText] = []
    content: list[ReasoningText] = []
    encrypted_content: str | UnsetType | None = UNSET
    status: Status


class FunctionCall(Struct, tag="function_call", kw_only=True):
    """A call of a function. `arguments` are a JSON object, as text."""

    id: str
    call_id: str
    name: str
    arguments: str
    status: Status
    namespace: str | UnsetType = UNSET


class CustomToolCall(Struct, tag="custom_tool_call", kw_only=True):
    """A call of a tool that takes text."""

    id: str
    call_id: str
    name: str
    input: str
    namespace: str | UnsetType = UNSET


class Compaction(Struct, tag="compaction", kw_only=True):
    """A conversation in short, which only this server reads."""

    id: str
    encrypted_content: str


OutputItem: TypeAlias = Message | Reasoning | FunctionCall | CustomToolCall | Compaction


def plain(item: OutputItem) -> dict[str, Any]:
    """The item as it is kept and read back: plain JSON."""
    found: dict[str, Any] = msgspec.to_builtins(item)
    return found
