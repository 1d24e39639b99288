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
    ToolCall,
    ToolChoice,
    UnsupportedInput,
    Usage,
)
from sauropod.abc import (
    ChatBackend,
    ChatModel,
    ChatOptions,
    Finished,
    GrammarKind,
    LoadOptions,
    ModelInfo,
    ReasoningDelta,
    Source,
    StreamEvent,
    TextDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
)

SENT = ("temperature", "top_p", "presence_penalty", "frequency_penalty", "seed", "max_tokens", "n", "stop")
"""What the protocol has of our sampling parameters, by the same names."""

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
            grammars={GrammarKind.JSON_SCHEMA},
        )

    async def stream(
        self, messages: Sequence[Message], chat: ChatOptions, sampling: SamplingParams
    ) -> AsyncGenerator[StreamEvent, None]:
        _require_sendable(chat, sampling)
        body = {**_sampling(sampling), **_chat(chat), "messages": [_message(message) for message in messages]}
        body |= {"model": self.name, "stream": True, "stream_options": {"include_usage": True}}
        answer = Answer(str(self.client.base_url), sampling.n)
        try:
            async with self.client.stream("POST", "chat/completions", json=body) as response:
                await _raise_for_status(response, self.name)
                async for line in response.aiter_lines():
                    for event in answer.take(line):
                        yield event
        except httpx.HTTPError as error:
            raise BackendError(f"{self.client.base_url} cannot be reached or broke off: {error!r}.") from error
        yield Finished(answer.completion())

    async def aclose(self) -> None:
        await self.client.aclose()


# -- what is asked -----------------------------------------------------------------------------------------------------


def _require_sendable(chat: ChatOptions, sampling: SamplingParams) -> None:
    """Raises `UnsupportedInput` for what the protocol has no word for."""
    fields = {field.name for field in attrs.fields(SamplingParams)} - {*SENT, "grammar"}
    extra = [name for name in sorted(fields) if getattr(sampling, name) != getattr(SamplingParams(), name)]
    extra += [
        name
        for name in ("reasoning_budget", "overflow", "template_options")
        if getattr(chat, name) != getattr(ChatOptions(), name)
    ]
    if extra:
        raise UnsupportedInput(f"OpenAI's chat completions know no {', '.join(extra)}. Leave that out.")


def _sampling(sampling: SamplingParams) -> dict[str, Any]:
    given = {name: getattr(sampling, name) for name in SENT}
    body = {name: value for name, value in given.items() if value not in (None, ())}
    if sampling.grammar is not None:
        schema = {"name": "answer", "schema": json.loads(sampling.grammar.text), "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _chat(chat: ChatOptions) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if chat.tools:
        body |= {"tools": [_tool(tool) for tool in chat.tools], "tool_choice": _tool_choice(chat.tool_choice)}
        body["parallel_tool_calls"] = chat.parallel_tool_calls
    if chat.reasoning_effort is not None:
        body["reasoning_effort"] = chat.reasoning_effort
    return body


def _tool(tool: Tool) -> dict[str, Any]:
    function = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": {**function, "strict": tool.strict}}


def _tool_choice(choice: ToolChoice) -> str | dict[str, Any]:
    named = [{"type": "function", "function": {"name": name}} for name in choice.names or ()]
    if choice.names is None or choice.mode == "none":
        return choice.mode
    if choice.mode == "required" and len(named) == 1:
        return named[0]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.mode, "tools": named}}


def _message(message: Message) -> dict[str, Any]:
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


# -- what is answered --------------------------------------------------------------------------------------------------


@attrs.define
class Call:
    """A tool call that is still coming."""

    id: str
    name: str
    arguments: str = ""


@attrs.define
class Said:
    """What has come of one text."""

    index: int
    text: str = ""
    reasoning: str = ""
    calls: dict[int, Call] = attrs.field(factory=dict)
    tool_calls: list[ToolCall] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)
    reason: StopReason | None = None

    def take(self, choice: Mapping[str, Any]) -> list[StreamEvent]:
        delta = choice.get("delta") or {}
        events: list[StreamEvent] = []
        if thought := delta.get("reasoning_content") or delta.get("reasoning"):
            self.reasoning += thought
            events.append(ReasoningDelta(thought, self.index))
        if text := delta.get("content"):
            self.text += text
            events.append(TextDelta(text, self.index))
        for part in delta.get("tool_calls") or ():
            events += self._call(part["index"], part.get("id"), part.get("function") or {})
        if reason := choice.get("finish_reason"):
            if reason not in REASONS:
                raise BackendError(f"The server ended its answer early, and gives as the reason: {reason!r}.")
            self.reason = REASONS[reason]
            events += self._closed()
        return events

    def choice(self) -> Choice:
        assert self.reason is not None
        return Choice(
            self.text,
            self.reason,
            (),
            reasoning=self.reasoning or None,
            tool_calls=self.tool_calls,
            warnings=self.warnings,
        )

    def _call(self, number: int, id: str | None, function: Mapping[str, Any]) -> list[StreamEvent]:
        events: list[StreamEvent] = []
        if number not in self.calls:
            self.calls[number] = Call(id or f"call_{number}", function["name"])
            events.append(ToolCallOpened(number, self.calls[number].id, function["name"], self.index))
        if arguments := function.get("arguments"):
            self.calls[number].arguments += arguments
            events.append(ToolCallDelta(number, arguments, self.index))
        return events

    def _closed(self) -> list[StreamEvent]:
        """All calls are complete. One that cannot be read is text, and says why."""
        events: list[StreamEvent] = []
        for number, call in self.calls.items():
            try:
                arguments = json.loads(call.arguments or "{}")
                if not isinstance(arguments, dict):
                    raise ValueError(f"it is a {type(arguments).__name__}")
                self.tool_calls.append(ToolCall(call.name, arguments, call.id))
                events.append(ToolCallClosed(number, self.tool_calls[-1], self.index))
            except ValueError as error:
                warning = f"the arguments of {call.name} are no JSON object: {error}"
                self.warnings.append(warning)
                self.text += call.arguments
                events += [
                    ToolCallDropped(number, warning, self.index),
                    TextDelta(call.arguments, self.index, warning=warning),
                ]
        return events


@attrs.define(eq=False)
class Answer:
    """What has come of an answer so far."""

    server: str
    count: int
    began: float = attrs.field(factory=time.monotonic)
    first: float | None = None
    usage: Usage = attrs.field(factory=lambda: Usage(0, 0, 0))
    texts: list[Said] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.texts = [Said(index) for index in range(self.count)]

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
        if any(said.reason is None for said in self.texts):
            raise BackendError(
                f"{self.server} broke off before its answer came to an end. "
                "Ask again, and make sure that chat/completions is at this address."
            )
        now = time.monotonic()
        first = self.first if self.first is not None else now
        timings = Timings(0.0, first - self.began, now - first)
        return Completion([said.choice() for said in self.texts], self.usage, timings)

    def _take_chunk(self, chunk: Mapping[str, Any]) -> list[StreamEvent]:
        if chunk.get("error"):
            raise BackendError(f"{self.server} failed. It says: {json.dumps(chunk['error'])[:500]}")
        if used := chunk.get("usage"):
            self.usage = _usage(used)
        events = [event for choice in chunk.get("choices") or () for event in self.texts[choice["index"]].take(choice)]
        if events and self.first is None:
            self.first = time.monotonic()
        return events


def _usage(used: Mapping[str, Any]) -> Usage:
    prompt, completion = used.get("prompt_tokens_details") or {}, used.get("completion_tokens_details") or {}
    return Usage(
        used["prompt_tokens"],
        prompt.get("cached_tokens") or 0,
        used["completion_tokens"],
        completion.get("reasoning_tokens") or 0,
    )


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
