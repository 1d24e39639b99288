"""Any server that speaks OpenAI's chat completions, as a model for `sauropod.Engine`.

    engine = sauropod.Engine(
        "openai_chat:llama3", options={"base_url": "http://127.0.0.1:11434/v1", "api_key": "secret"}
    )

It shows what a `ChatModel` has to have: messages in, a stream of events out; closing the stream closes the connection.
What it cannot do it refuses, and an answer that is not whole is an error: nothing is left out in silence.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import attrs
import httpx

from sauropod import (
    BackendError,
    Choice,
    Completion,
    Message,
    ModelNotFound,
    RequestError,
    SamplingParams,
    StopReason,
    Timings,
    Tool,
    UnsupportedInput,
    Usage,
)
from sauropod.abc import ChatBackend, ChatModel, Finished, LoadOptions, ModelInfo, Source, StreamEvent, TextDelta

SENT = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "max_tokens", "n", "stop")
"""What the protocol has of our sampling parameters, by the same names."""

REASONS = {"stop": StopReason.EOS, "length": StopReason.MAX_TOKENS}


class OpenAIChat(ChatBackend):
    """`openai_chat:MODEL`, with `base_url` and `api_key` as options or in OPENAI_BASE_URL and OPENAI_API_KEY."""

    async def connect(self, source: Source, options: LoadOptions) -> ChatModel:
        base_url = options.extra.get("base_url") or os.environ.get("OPENAI_BASE_URL") or "https://api.openai.com/v1"
        key = options.extra.get("api_key") or os.environ.get("OPENAI_API_KEY") or ""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        client = httpx.AsyncClient(base_url=f"{str(base_url).rstrip('/')}/", headers=headers, timeout=600)
        return OpenAIChatModel(source.name, client, options.context_length or 0)


@attrs.define(eq=False)
class OpenAIChatModel(ChatModel):
    name: str
    client: httpx.AsyncClient
    context_length: int

    @property
    def info(self) -> ModelInfo:
        return ModelInfo(
            name=self.name,
            backend="openai_chat",
            architecture="remote",
            context_length=self.context_length,
            slots=0,
            vocabulary_size=0,
            sampling=SamplingParams(),
        )

    async def stream(
        self, messages: Sequence[Message], tools: Sequence[Tool], sampling: SamplingParams
    ) -> AsyncGenerator[StreamEvent, None]:
        _require_sendable(tools, sampling)
        answer = Answer(str(self.client.base_url), sampling.n)
        try:
            async with self.client.stream("POST", "chat/completions", json=self._body(messages, sampling)) as got:
                await _raise_for_status(got, self.name)
                async for line in got.aiter_lines():
                    for event in answer.take(line):
                        yield event
        except httpx.HTTPError as error:
            raise BackendError(f"{self.client.base_url} cannot be reached or broke off: {error!r}.") from error
        yield Finished(answer.completion())

    async def aclose(self) -> None:
        await self.client.aclose()

    def _body(self, messages: Sequence[Message], sampling: SamplingParams) -> dict[str, Any]:
        given = {name: getattr(sampling, name) for name in SENT}
        body = {name: value for name, value in given.items() if value not in (None, ())}
        body |= {"model": self.name, "stream": True, "stream_options": {"include_usage": True}}
        return body | {"messages": [_describe(message) for message in messages]}


@attrs.define(eq=False)
class Answer:
    """What has come of an answer so far."""

    server: str
    count: int
    began: float = attrs.field(factory=time.monotonic)
    first: float | None = None
    texts: list[list[str]] = attrs.field(init=False)
    reasons: dict[int, StopReason] = attrs.field(factory=dict)
    usage: Usage = attrs.field(factory=lambda: Usage(0, 0, 0))

    def __attrs_post_init__(self) -> None:
        self.texts = [[] for _ in range(self.count)]

    def take(self, line: str) -> list[StreamEvent]:
        """The events in a line of the server's event stream. Raises `BackendError` for one that cannot be used."""
        field, _, data = line.partition(":")
        if field != "data" or data.strip() == "[DONE]":
            return []
        try:
            return self._take_chunk(json.loads(data))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise BackendError(f"{self.server} sent what is no chat completion: {data[:200].strip()}") from error

    def completion(self) -> Completion:
        """The whole answer. Raises `BackendError` if there is more to come."""
        if not self.reasons.keys() >= set(range(self.count)):
            raise BackendError(
                f"{self.server} broke off before its answer came to an end. "
                "Ask again, and make sure that chat/completions is at this address."
            )
        now = time.monotonic()
        first = self.first if self.first is not None else now
        choices = [Choice("".join(text), self.reasons[index], ()) for index, text in enumerate(self.texts)]
        return Completion(choices, self.usage, Timings(0.0, first - self.began, now - first))

    def _take_chunk(self, chunk: Mapping[str, Any]) -> list[StreamEvent]:
        if chunk.get("error"):
            raise BackendError(f"{self.server} failed. It says: {json.dumps(chunk['error'])[:500]}")
        if used := chunk.get("usage"):
            details = used.get("prompt_tokens_details") or {}
            self.usage = Usage(used["prompt_tokens"], details.get("cached_tokens") or 0, used["completion_tokens"])
        return [event for choice in chunk.get("choices") or () for event in self._take_choice(choice)]

    def _take_choice(self, choice: Mapping[str, Any]) -> list[StreamEvent]:
        index, text = choice["index"], (choice.get("delta") or {}).get("content") or ""
        if reason := choice.get("finish_reason"):
            if reason not in REASONS:
                raise BackendError(f"{self.server} ended its answer early, and gives as the reason: {reason!r}.")
            self.reasons[index] = REASONS[reason]
        if not text:
            return []
        self.first = self.first if self.first is not None else time.monotonic()
        self.texts[index].append(text)
        return [TextDelta(text, index)]


def _require_sendable(tools: Sequence[Tool], sampling: SamplingParams) -> None:
    """Raises `UnsupportedInput` for what the protocol has no word for, and for what would be lost on the way back."""
    if tools:
        raise UnsupportedInput("A completion is text, and this server's tool calls are not. Leave tools out.")
    fields = [field.name for field in attrs.fields(SamplingParams) if field.name not in SENT]
    extra = [name for name in fields if getattr(sampling, name) != getattr(SamplingParams(), name)]
    if extra:
        raise UnsupportedInput(f"OpenAI's chat completions know no {', '.join(extra)}. Leave that out.")


def _describe(message: Message) -> dict[str, Any]:
    described: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        described["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": json.dumps(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if message.tool_call_id is not None:
        described["tool_call_id"] = message.tool_call_id
    return described


async def _raise_for_status(response: httpx.Response, model: str) -> None:
    """The server's refusals in our words, its own attached."""
    if response.is_success:
        return
    said = (await response.aread()).decode(errors="replace")[:500]
    match response.status_code:
        case 404:
            raise ModelNotFound(f"{response.url} has no model {model!r}. It says: {said}")
        case code if code < 500 and code not in (408, 429):  # too slow, and too many: asked again, they may do
            raise RequestError(f"{response.url} refuses the request ({code}). It says: {said}")
        case code:
            raise BackendError(f"{response.url} failed ({code}). It says: {said}")
