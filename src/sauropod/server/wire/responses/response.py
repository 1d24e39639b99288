"""Response: the object that is answered, with every field OpenAI's has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import Struct

from sauropod import Usage as Tokens
from sauropod.server.problems import Problem
from sauropod.server.wire.responses.items import OutputItem
from sauropod.server.wire.responses.request import CreateResponse

__all__ = [
    "Failure",
    "IncompleteDetails",
    "Response",
    "ResponseStatus",
    "Usage",
    "began",
    "copied",
    "failure_of",
    "usage_of",
]

ResponseStatus: TypeAlias = Literal["queued", "in_progress", "completed", "incomplete", "failed", "cancelled"]


class InputTokensDetails(Struct):
    """How many of them were computed before. Nothing here is billed for being written to a cache."""

    cached_tokens: int = 0
    cache_write_tokens: int = 0


class OutputTokensDetails(Struct):
    """How many of them were thoughts."""

    reasoning_tokens: int = 0


class Usage(Struct):
    """Tokens, counted and not estimated."""

    input_tokens: int
    input_tokens_details: InputTokensDetails
    output_tokens: int
    output_tokens_details: OutputTokensDetails
    total_tokens: int


class Failure(Struct):
    """Why a response failed."""

    code: str
    message: str


class IncompleteDetails(Struct):
    """Why a response ended early."""

    reason: str | None


class ConversationName(Struct):
    """The conversation a response belongs to."""

    id: str


class Response(Struct, kw_only=True):
    """A response, at any time of its life."""

    id: str
    object: Literal["response"] = "response"
    created_at: int
    completed_at: int | None = None
    status: ResponseStatus
    background: bool = False
    error: Failure | None = None
    incomplete_details: IncompleteDetails | None = None
    instructions: str | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    model: str
    output: list[OutputItem] = []
    parallel_tool_calls: bool = True
    previous_response_id: str | None = None
    conversation: ConversationName | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning: dict[str, Any]
    safety_identifier: str | None = None
    service_tier: str = "default"
    store: bool = True
    temperature: float | None = None
    text: dict[str, Any]
    tool_choice: str | dict[str, Any] = "auto"
    tools: list[dict[str, Any]] = []
    top_p: float | None = None
    top_logprobs: int = 0
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    truncation: Literal["auto", "disabled"] = "disabled"
    usage: Usage | None = None
    user: str | None = None
    metadata: dict[str, str] = {}


def began(asked: CreateResponse, *, id: str, model: str, created_at: int) -> Response:
    """A response of which nothing is written yet."""
    text = asked.text
    verbosity = {"verbosity": text.verbosity} if text and text.verbosity else {}
    reasoning = asked.reasoning
    name = asked.conversation_id
    return Response(
        id=id,
        created_at=created_at,
        status="queued" if asked.background else "in_progress",
        background=bool(asked.background),
        instructions=asked.instructions,
        max_output_tokens=asked.max_output_tokens,
        max_tool_calls=asked.max_tool_calls,
        model=model,
        parallel_tool_calls=asked.parallel_tool_calls is not False,
        previous_response_id=asked.previous_response_id,
        conversation=ConversationName(name) if name else None,
        prompt_cache_key=asked.prompt_cache_key,
        prompt_cache_retention=asked.prompt_cache_retention,
        reasoning={
            "effort": reasoning.effort if reasoning else None,
            "summary": reasoning.summary if reasoning else None,
        },
        safety_identifier=asked.safety_identifier,
        store=asked.stored,
        temperature=asked.temperature,
        text={"format": (text and text.format) or {"type": "text"}, **verbosity},
        tool_choice=asked.tool_choice or "auto",
        tools=[_whole(tool) for tool in asked.tools or ()],
        top_p=asked.top_p,
        top_logprobs=asked.top_logprobs or 0,
        presence_penalty=asked.presence_penalty or 0.0,
        frequency_penalty=asked.frequency_penalty or 0.0,
        truncation=asked.truncation or "disabled",
        user=asked.user,
        metadata=asked.metadata or {},
    )


def _whole(tool: dict[str, Any]) -> dict[str, Any]:
    """A tool with the fields a client may count on."""
    if tool.get("type") == "namespace":
        return {"description": "", **tool}
    if tool.get("type") != "function":
        return tool
    return {"description": None, "parameters": None, **tool, "strict": tool.get("strict") is not False}


def usage_of(tokens: Sequence[Tokens]) -> Usage:
    """The sum of what requests took."""
    read = sum(each.prompt_tokens for each in tokens)
    written = sum(each.completion_tokens for each in tokens)
    return Usage(
        input_tokens=read,
        input_tokens_details=InputTokensDetails(sum(each.cached_tokens for each in tokens)),
        output_tokens=written,
        output_tokens_details=OutputTokensDetails(sum(each.reasoning_tokens for each in tokens)),
        total_tokens=read + written,
    )


def failure_of(problem: Problem) -> Failure:
    """A problem as a response tells it, in the codes it may use."""
    if problem.status == 429:
        return Failure("rate_limit_exceeded", problem.message)
    return Failure("invalid_prompt" if problem.status < 500 else "server_error", problem.message)


def copied(response: Response) -> Response:
    """The response as it is now."""
    return msgspec.structs.replace(response, output=list(response.output))
