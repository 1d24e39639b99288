"""/v1/chat/completions, in process and by the official client over a socket."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import httpx
import openai
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_chunk import ChoiceDeltaToolCall

from sauropod import Engine
from sauropod.server.wire.chat.request import CreateChat
from server.sdk import chunks_of, plain, put_together, strict
from server.serving import fake
from server.talking import Talk, endless, on_a_socket, talking, until

pytestmark = pytest.mark.anyio

PATH = "/v1/chat/completions"
HELLO = [{"role": "user", "content": "Hello"}]
CLOCK = {"type": "function", "function": {"name": "clock", "parameters": {"type": "object", "properties": {}}}}
SAYS = {
    "Hello": "Hello, you.",
    "think": "<think>Hm, a clock?</think>It is late.",
    "clock": '<tool_call>{"name": "clock", "arguments": {"city": "Bonn"}}</tool_call>',
}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    async with talking(small=fake(says=SAYS), babbling=fake(says={}), endless=endless()) as talk:
        yield talk


async def test_an_answer_is_what_the_sdk_expects(talk: Talk) -> None:
    found = await talk.post(PATH, model="small", messages=HELLO)
    assert found.status_code == 200
    completion = strict(ChatCompletion, found.json())
    (choice,) = completion.choices
    assert (choice.message.content, choice.finish_reason, completion.model) == ("Hello, you.", "stop", "small")
    assert completion.usage is not None
    assert completion.usage.completion_tokens == len("Hello, you.")


async def test_a_stream_is_the_same_answer_in_pieces(talk: Talk) -> None:
    body: dict[str, Any] = {"messages": HELLO, "seed": 3, "max_tokens": 20, "n": 3, "logprobs": True, "top_logprobs": 2}
    whole = await talk.post(PATH, model="babbling", **body)
    found = await talk.post(PATH, model="babbling", stream=True, stream_options={"include_usage": True}, **body)
    assert found.headers["content-type"].startswith("text/event-stream")
    chunks = chunks_of(found.content)
    together, expected = put_together(chunks), plain(strict(ChatCompletion, whole.json()))
    for each in (together, expected):
        del each["id"], each["created"]
        each["usage"].pop("prompt_tokens_details")
    assert together == expected


async def test_thoughts_and_calls_are_told_apart_from_text(talk: Talk) -> None:
    thought = await talk.post(PATH, messages=[{"role": "user", "content": "think"}])
    message = strict(ChatCompletion, thought.json()).choices[0].message
    assert (message.content, (message.model_extra or {})["reasoning_content"]) == ("It is late.", "Hm, a clock?")
    assert thought.json()["usage"]["completion_tokens_details"]["reasoning_tokens"] > 0
    called = await talk.post(PATH, messages=[{"role": "user", "content": "clock"}], tools=[CLOCK])
    choice = strict(ChatCompletion, called.json()).choices[0]
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("clock", '{"city":"Bonn"}')


async def test_a_conversation_goes_on_with_what_a_call_came_to(talk: Talk) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}
    messages = [
        {"role": "user", "content": "clock"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Hello"},
    ]
    found = await talk.post(PATH, messages=messages, tools=[CLOCK])
    assert found.json()["choices"][0]["message"]["content"] == "Hello, you."


async def test_without_a_model_the_default_answers_and_names_are_found_without_case(talk: Talk) -> None:
    names = [(await talk.post(PATH, messages=HELLO, **given)).json()["model"] for given in _NAMES]
    assert names == ["small", "small", "babbling"]


_NAMES: list[dict[str, Any]] = [{}, {"model": "default"}, {"model": "BABBLING", "max_tokens": 1}]


async def test_the_cache_is_told_of(talk: Talk) -> None:
    usages = [(await talk.post(PATH, messages=HELLO)).json()["usage"] for _ in range(2)]
    assert usages[0]["prompt_tokens_details"]["cached_tokens"] == 0
    assert usages[1]["prompt_tokens_details"]["cached_tokens"] == usages[1]["prompt_tokens"] - 1


@pytest.mark.parametrize("stream", [False, True])
async def test_what_is_wrong_before_the_first_token_is_an_error_with_its_status(talk: Talk, stream: bool) -> None:
    long = [{"role": "user", "content": "x" * 5000}]
    error = await talk.refused(PATH, messages=long, stream=stream)
    assert (error["param"], error["code"]) == ("messages", "context_length_exceeded")
    error = await talk.refused(PATH, 404, model="nobody", messages=HELLO, stream=stream)
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    await talk.refused(PATH, messages=HELLO, response_format=schema, stream=stream)  # the fake knows no schemas


# -- over a socket -------------------------------------------------------------------------------------------------


async def test_the_official_client_is_answered(talk: Talk) -> None:
    async with on_a_socket(talk.app) as client:
        messages: Any = [{"role": "user", "content": "clock"}]
        async with client.chat.completions.stream(model="small", messages=messages, tools=[CLOCK]) as stream:  # type: ignore[list-item]
            events = [event.type async for event in stream]
            completion = await stream.get_final_completion()
        assert "tool_calls.function.arguments.done" in events
        assert completion.choices[0].message.tool_calls
        with pytest.raises(openai.NotFoundError, match="There are: small, babbling"):
            await client.chat.completions.create(model="gpt-4o", messages=messages)


async def test_a_stream_that_fails_says_so_in_its_last_event(talk: Talk) -> None:
    async with on_a_socket(talk.app) as client:
        messages: Any = HELLO
        stream = await client.chat.completions.create(model="endless", messages=messages, stream=True)
        await anext(stream)
        await talk.engine("endless").aclose()
        with pytest.raises(openai.APIError, match="closed"):
            [chunk async for chunk in stream]


@pytest.mark.parametrize("stream", [False, True])
async def test_clients_that_leave_free_what_they_held(talk: Talk, stream: bool) -> None:
    body = {"model": "endless", "messages": HELLO, "stream": stream}
    async with on_a_socket(talk.app) as client, httpx.AsyncClient(base_url=str(client.base_url)) as http:
        async with anyio.create_task_group() as asking:
            for _ in range(2):  # one is answered, and one waits for its first token
                asking.start_soon(partial(http.post, "chat/completions", json=body))
            await until(lambda: talk.works_on("endless") == 2)
            asking.cancel_scope.cancel()
        await until(lambda: not talk.works_on("endless"))


# -- a model that can be held to grammars --------------------------------------------------------------------------

UNENFORCEABLE = {"type": "object", "properties": {"city": {"type": "string", "pattern": "(?=B)onn"}}}


@pytest.fixture
async def held(tiny_model: Path) -> AsyncIterator[Talk]:
    async with talking(tiny=lambda: Engine(tiny_model, isolation="thread")) as talk:
        yield talk


async def test_a_call_that_is_certain_is_told_while_it_is_written(held: Talk) -> None:
    schema = {
        "type": "object",
        "properties": {"city": {"enum": ["Bonn on the Rhine"]}},
        "required": ["city"],
        "additionalProperties": False,
    }
    clock = {"type": "function", "function": {"name": "clock", "parameters": schema, "strict": True}}
    body = {"messages": HELLO, "tools": [clock], "tool_choice": "required", "parallel_tool_calls": False}
    chunks = chunks_of((await held.post(PATH, stream=True, temperature=0, **body)).content)
    parts = [call.function.arguments for call in _calls(chunks) if call.function and call.function.arguments]
    assert len(parts) > 1
    assert json.loads("".join(parts)) == {"city": "Bonn on the Rhine"}
    assert chunks[-1].choices[0].finish_reason == "tool_calls"
    assert [call.id is not None for call in _calls(chunks)] == [True, *[False] * len(parts)]


def _calls(chunks: list[ChatCompletionChunk]) -> list[ChoiceDeltaToolCall]:
    return [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]


@pytest.mark.parametrize("strict", [None, False, True])
async def test_a_schema_that_cannot_be_enforced_is_an_error_only_where_it_is_insisted_on(
    held: Talk, strict: bool | None
) -> None:
    function = {"name": "clock", "parameters": UNENFORCEABLE, "strict": strict}
    found = await held.post(PATH, messages=HELLO, tools=[{"type": "function", "function": function}], max_tokens=2)
    assert found.status_code == (400 if strict else 200)


# -- whatever is sent ----------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
FIELDS = [name for name in CreateChat.__struct_fields__ if name not in ("model", "stream", "messages")]
MESSAGE = ["role", "content", "tool_calls", "name", "tool_call_id", "function_call"]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=3)


MESSAGES = st.lists(st.dictionaries(st.sampled_from(MESSAGE), JSON, max_size=3), max_size=2) | st.just(HELLO)
ASKED = st.builds(lambda body, said: {"max_tokens": 1, **body, "messages": said}, BODIES, MESSAGES)


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=st.binary(max_size=20) | JSON | ASKED)
@example(body=b'{"messages": [{"role": "user", "content": "\xff"}]}')
async def test_whatever_is_sent_is_answered_or_refused(talk: Talk, body: Any) -> None:
    found = await talk.http.post(PATH, content=body if isinstance(body, bytes) else json.dumps(body).encode())
    assert found.status_code in (200, 400), found.text
