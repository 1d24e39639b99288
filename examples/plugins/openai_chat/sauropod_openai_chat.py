"""Any server that speaks OpenAI's chat completions, as a model for `sauropod.Engine`.

    engine = sauropod.Engine(
        "openai_chat:llama3", options={"base_url": "http://127.0.0.1:11434/v1", "api_key": "secret"}
    )

It shows what a `ChatModel` has to have: messages in, a stream of events out; closing the stream closes the connection.
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
    Usage,
)
from sauropod.abc import ChatBackend, ChatModel, Finished, LoadOptions, ModelInfo, Source, StreamEvent, TextDelta

SENT_AS = {
    "temperature": "temperature",
    "top_p": "top_p",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "seed": "seed",
    "max_tokens": "max_tokens",
}
"""What the protocol has of our sampling parameters. The rest is the server's business."""

REASONS = {"stop": StopReason.EOS, "tool_calls": StopReason.EOS, "length": StopReason.MAX_TOKENS}


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
        answer = Answer(sampling.n)
        try:
            async with self.client.stream(
                "POST", "chat/completions", json=self._body(messages, tools, sampling)
            ) as got:
                await _raise_for_status(got, self.name)
                async for line in got.aiter_lines():
                    for event in answer.take(line):
                        yield event
        except httpx.HTTPError as error:
            raise BackendError(f"{self.client.base_url} cannot be reached or broke off: {error!r}.") from error
        yield Finished(answer.completion())

    async def aclose(self) -> None:
        await self.client.aclose()

    def _body(self, messages: Sequence[Message], tools: Sequence[Tool], sampling: SamplingParams) -> dict[str, Any]:
        given = {theirs: getattr(sampling, ours) for ours, theirs in SENT_AS.items()}
        body = {name: value for name, value in given.items() if value is not None}
        body |= {"model": self.name, "n": sampling.n, "stream": True, "stream_options": {"include_usage": True}}
        body["messages"] = [_describe(message) for message in messages]
        if sampling.stop:
            body["stop"] = list(sampling.stop)
        if tools:
            body["tools"] = [{"type": "function", "function": attrs.asdict(tool)} for tool in tools]
        return body


@attrs.define(eq=False)
class Answer:
    """What has come of an answer so far."""

    count: int
    began: float = attrs.field(factory=time.monotonic)
    first: float | None = None
    texts: list[list[str]] = attrs.field(init=False)
    reasons: dict[int, StopReason] = attrs.field(factory=dict)
    usage: Usage = attrs.field(factory=lambda: Usage(0, 0, 0))

    def __attrs_post_init__(self) -> None:
        self.texts = [[] for _ in range(self.count)]

    def take(self, line: str) -> list[StreamEvent]:
        """The events in a line of the server's event stream."""
        if not line.startswith("data:") or line == "data: [DONE]":
            return []
        chunk = json.loads(line.removeprefix("data:"))
        if used := chunk.get("usage"):
            details = used.get("prompt_tokens_details") or {}
            self.usage = Usage(used["prompt_tokens"], details.get("cached_tokens") or 0, used["completion_tokens"])
        return [event for choice in chunk.get("choices", ()) for event in self._take_choice(choice)]

    def _take_choice(self, choice: Mapping[str, Any]) -> list[StreamEvent]:
        index, text = choice["index"], choice["delta"].get("content") or ""
        if reason := choice.get("finish_reason"):
            self.reasons[index] = REASONS.get(reason, StopReason.STOP)
        if not text:
            return []
        self.first = self.first if self.first is not None else time.monotonic()
        self.texts[index].append(text)
        return [TextDelta(text, index)]

    def completion(self) -> Completion:
        now = time.monotonic()
        first = self.first if self.first is not None else now
        choices = [
            Choice("".join(text), self.reasons.get(index, StopReason.EOS), ()) for index, text in enumerate(self.texts)
        ]
        return Completion(choices, self.usage, Timings(0.0, first - self.began, now - first))


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
        case code if code < 500:
            raise RequestError(f"{response.url} refuses the request ({code}). It says: {said}")
        case code:
            raise BackendError(f"{response.url} failed ({code}). It says: {said}")
