"""The rules of the Responses API, one by one: each of streams over every kind of stream, then each of requests.

`checking.check_events` holds all of the first at once; here a rule that breaks is named.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise
from typing import Any

import anyio
import attrs
import httpx
import pytest
from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.responses import ResponseStreamEvent

from server.checking import check_events, parsed
from server.serving import SAYS, fake, serving

Event = dict[str, Any]

WEATHER = {"type": "function", "name": "get_weather", "parameters": {"type": "object", "properties": {}}}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}}
NOTES = {"type": "custom", "name": "note", "description": "Write something down."}
SPACE = {"type": "namespace", "name": "home", "description": "The home.", "tools": [{**WEATHER, "parameters": CITY}]}
TOLD = {
    **SAYS,
    "note this": '<tool_call>{"name": "note", "arguments": {"input": "milk"}}</tool_call>',
    "at home": '<think>Hm.</think>Wait.<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    "nothing": "",
}

STREAMS: dict[str, dict[str, Any]] = {
    "a text": {"input": "Hello"},
    "a text with log probabilities": {"input": "Hello", "top_logprobs": 2, "include": ["message.output_text.logprobs"]},
    "thoughts": {"input": "think", "include": ["reasoning.encrypted_content"]},
    "a call of a function": {"input": "weather", "tools": [{**WEATHER, "parameters": CITY}]},
    "a call of a custom tool": {"input": "note this", "tools": [NOTES]},
    "thoughts, a text and a call of a tool in a namespace": {"input": "at home", "tools": [SPACE]},
    "a text that reached its limit": {"input": "long", "max_output_tokens": 20},
    "thoughts that reached their limit": {"input": "think", "max_output_tokens": 12},
    "a call that reached its limit": {"input": "weather", "tools": [WEATHER], "max_output_tokens": 30},
    "nothing said": {"input": "nothing"},
    "one that is not stored": {"input": "Hello", "store": False},
    "one in the background": {"input": "Hello", "background": True},
}


@attrs.frozen
class Told:
    """A stream as it came, and what is kept of it."""

    body: bytes
    events: list[Event]
    asked: dict[str, Any]

    @property
    def names(self) -> list[str]:
        return [event["type"] for event in self.events]

    @property
    def final(self) -> dict[str, Any]:
        response: dict[str, Any] = self.events[-1]["response"]
        return response

    def of(self, *names: str) -> Iterator[Event]:
        return (event for event in self.events if event["type"].removeprefix("response.") in names)


async def _all() -> dict[str, Told]:
    found = {}
    async with serving({"fake": fake(says=TOLD)}) as http:
        for name, asked in STREAMS.items():
            answer = await http.post("/v1/responses", json={"stream": True, **asked})
            assert answer.status_code == 200, answer.text
            found[name] = Told(answer.content, parsed(answer.content), asked)
    return found


@pytest.fixture(scope="module")
def streams() -> dict[str, Told]:
    return anyio.run(_all)


# -- of streams --------------------------------------------------------------------------------------------------------


def events_are_named_by_their_type(told: Told) -> None:
    blocks = [block for block in told.body.decode().split("\n\n") if block]
    for block, event in zip(blocks, told.events, strict=True):
        assert block.startswith(f"event: {event['type']}\ndata: {{")


def events_are_numbered_from_nothing(told: Told) -> None:
    assert [event["sequence_number"] for event in told.events] == list(range(len(told.events)))


def the_first_says_that_it_was_created(told: Told) -> None:
    assert told.names[0] == "response.created"
    assert told.names.count("response.created") == 1


def then_it_is_in_progress(told: Told) -> None:
    queued = bool(told.asked.get("background"))
    assert told.names[1 + queued] == "response.in_progress"
    assert ("response.queued" in told.names) == queued


def it_has_one_end_and_that_is_last(told: Told) -> None:
    ends = ("response.completed", "response.incomplete", "response.failed")
    assert [name for name in told.names if name in ends] == [told.names[-1]]
    assert told.names[-1] == f"response.{told.final['status']}"


def it_is_one_response_all_along(told: Told) -> None:
    assert {event["response"]["id"] for event in told.events if "response" in event} == {told.final["id"]}


def items_begin_and_end_one_after_the_other(told: Told) -> None:
    bounds = [(event["type"], event["output_index"]) for event in told.of("output_item.added", "output_item.done")]
    expected = [
        (f"response.output_item.{what}", at) for at in range(len(told.final["output"])) for what in ("added", "done")
    ]
    assert bounds == expected


def events_of_an_item_come_while_it_is_open(told: Told) -> None:
    opened: list[str] = []
    for event in told.events:
        if event["type"] == "response.output_item.added":
            opened.append(event["item"]["id"])
        elif event["type"] == "response.output_item.done":
            opened.remove(event["item"]["id"])
        elif "item_id" in event:
            assert opened == [event["item_id"]]


def an_item_ends_as_what_it_began(told: Told) -> None:
    for added, done in zip(told.of("output_item.added"), told.of("output_item.done"), strict=True):
        for key in ("id", "type", "call_id", "name", "namespace", "role"):
            assert added["item"].get(key) == done["item"].get(key)


def all_items_that_ended_are_in_the_response(told: Told) -> None:
    assert [event["item"] for event in told.of("output_item.done")] == told.final["output"]


def parts_begin_and_end_within_their_item(told: Told) -> None:
    nested = ("output_item.added", "content_part.added", "content_part.done", "output_item.done")
    depth = 0
    for event in told.of(*nested):
        depth += 1 if event["type"].endswith("added") else -1
        assert depth == (1 if "output_item.added" in event["type"] else 2 if "added" in event["type"] else depth)
        assert 0 <= depth <= 2
    assert depth == 0


def a_message_goes_from_part_to_text_to_part(told: Told) -> None:
    messages = {item["id"] for item in told.final["output"] if item["type"] == "message"}
    for name in messages:
        mine = [event["type"].removeprefix("response.") for event in told.events if event.get("item_id") == name]
        assert mine[0] == "content_part.added"
        assert mine[-2:] == ["output_text.done", "content_part.done"]
        assert set(mine[1:-2]) <= {"output_text.delta"}


def deltas_add_up_to_what_is_done(told: Told) -> None:
    for kind in ("output_text", "reasoning_text", "function_call_arguments", "custom_tool_call_input"):
        for done in told.of(f"{kind}.done"):
            pieces = [each["delta"] for each in told.of(f"{kind}.delta") if each["item_id"] == done["item_id"]]
            assert "".join(pieces) == done.get("text", done.get("arguments", done.get("input")))


def texts_come_with_log_probabilities_even_if_empty(told: Told) -> None:
    wanted = "top_logprobs" in told.asked
    for event in told.of("output_text.delta", "output_text.done"):
        assert isinstance(event["logprobs"], list)
        assert not event["logprobs"] or wanted
    if wanted:
        assert all(event["logprobs"] for event in told.of("output_text.done"))


def a_functions_arguments_end_with_its_name(told: Told) -> None:
    for event in told.of("function_call_arguments.done"):
        assert event["name"]


def every_field_of_the_response_is_sent(told: Told) -> None:
    first, last = told.events[0]["response"], told.final
    assert set(first) == set(last)
    assert {"usage", "error", "incomplete_details", "user", "metadata", "background", "conversation"} <= set(first)
    assert first["usage"] is None


def usage_is_exact(told: Told) -> None:
    usage = told.final["usage"]
    assert usage["total_tokens"] == usage["input_tokens"] + usage["output_tokens"]
    assert 0 <= usage["input_tokens_details"]["cached_tokens"] <= usage["input_tokens"]
    assert 0 <= usage["output_tokens_details"]["reasoning_tokens"] <= usage["output_tokens"]
    if "max_output_tokens" in told.asked:
        assert usage["output_tokens"] == told.asked["max_output_tokens"]


def ids_say_what_they_are_of(told: Told) -> None:
    starts = {"message": "msg_", "function_call": "fc_", "reasoning": "rs_", "custom_tool_call": "ctc_"}
    assert told.final["id"].startswith("resp_")
    for item in told.final["output"]:
        assert item["id"].startswith(starts[item["type"]])
        assert item.get("call_id", "call_").startswith("call_")


def a_limit_makes_it_incomplete_and_no_error(told: Told) -> None:
    limited = "max_output_tokens" in told.asked
    assert told.final["status"] == ("incomplete" if limited else "completed")
    assert told.final["incomplete_details"] == ({"reason": "max_output_tokens"} if limited else None)
    assert told.final["error"] is None


def nothing_that_is_no_error_has_one(told: Told) -> None:
    assert not any(event.get("error") for event in told.events)


def all_of_it_is_as_the_sdk_has_it(told: Told) -> None:
    check_events(told.events, queued=bool(told.asked.get("background")))


def the_sdk_puts_it_together(told: Told) -> None:
    state: ResponseStreamState[None] = ResponseStreamState(input_tools=[], text_format=omit)
    for event in told.events:
        known: Any = construct_type_unchecked(type_=ResponseStreamEvent, value=event)  # type: ignore[arg-type]
        list(state.handle_event(known))


RULES: tuple[Callable[[Told], None], ...] = (
    events_are_named_by_their_type,
    events_are_numbered_from_nothing,
    the_first_says_that_it_was_created,
    then_it_is_in_progress,
    it_has_one_end_and_that_is_last,
    it_is_one_response_all_along,
    items_begin_and_end_one_after_the_other,
    events_of_an_item_come_while_it_is_open,
    an_item_ends_as_what_it_began,
    all_items_that_ended_are_in_the_response,
    parts_begin_and_end_within_their_item,
    a_message_goes_from_part_to_text_to_part,
    deltas_add_up_to_what_is_done,
    texts_come_with_log_probabilities_even_if_empty,
    a_functions_arguments_end_with_its_name,
    every_field_of_the_response_is_sent,
    usage_is_exact,
    ids_say_what_they_are_of,
    a_limit_makes_it_incomplete_and_no_error,
    nothing_that_is_no_error_has_one,
    all_of_it_is_as_the_sdk_has_it,
    the_sdk_puts_it_together,
)


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_stream(streams: dict[str, Told], rule: Callable[[Told], None], stream: str) -> None:
    rule(streams[stream])


def test_the_streams_are_of_every_kind(streams: dict[str, Told]) -> None:
    kinds = {item["type"] for told in streams.values() for item in told.final["output"]}
    assert kinds == {"message", "reasoning", "function_call", "custom_tool_call"}
    assert {told.final["status"] for told in streams.values()} == {"completed", "incomplete"}


# -- of requests -------------------------------------------------------------------------------------------------------


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with serving({"fake": fake(says=TOLD)}) as client:
        yield client


asks = pytest.mark.anyio


async def post(http: httpx.AsyncClient, status: int = 200, **asked: Any) -> dict[str, Any]:
    found = await http.post("/v1/responses", json=asked)
    assert found.status_code == status, found.text
    answer: dict[str, Any] = found.json()
    return answer if status == 200 else answer["error"]


@asks
async def test_what_is_not_said_to_be_stored_is(http: httpx.AsyncClient) -> None:
    kept = await post(http, input="Hello")
    left = await post(http, input="Hello", store=False)
    assert kept["store"] is True
    assert (await http.get(f"/v1/responses/{kept['id']}")).json() == kept
    assert (await http.get(f"/v1/responses/{left['id']}")).status_code == 404
    assert (await post(http, 400, input="x", previous_response_id=left["id"]))["code"] == "previous_response_not_found"


@asks
async def test_instructions_are_not_carried_over(http: httpx.AsyncClient) -> None:
    first = await post(http, input="Hello", instructions="Say that it is JSON.")
    second = await post(http, input="Hello", previous_response_id=first["id"])
    assert "Ada" in json.dumps((await post(http, input="x", instructions="Say that it is JSON."))["output"])
    assert second["instructions"] is None
    assert "Ada" not in json.dumps(second["output"])


@asks
async def test_a_conversation_and_a_previous_response_exclude_each_other(http: httpx.AsyncClient) -> None:
    first = await post(http, input="Hello")
    name = (await http.post("/v1/conversations")).json()["id"]
    error = await post(http, 400, input="x", previous_response_id=first["id"], conversation=name)
    assert error["type"] == "invalid_request_error"
    assert re.search("previous_response_id|conversation", error["param"])


@asks
async def test_a_result_of_no_call_fails_and_is_nothing_to_go_on_from(http: httpx.AsyncClient) -> None:
    result = {"type": "function_call_output", "call_id": "call_none", "output": "18 degrees"}
    error = await post(http, 400, input=[result])
    assert "call_none" in error["message"]
    streamed = await http.post("/v1/responses", json={"input": [result], "stream": True})
    assert streamed.status_code == 400


@asks
async def test_a_tool_that_is_not_known_is_left_out(http: httpx.AsyncClient) -> None:
    answer = await post(http, input="Hello", tools=[{"type": "web_search"}, WEATHER])
    assert answer["status"] == "completed"


@asks
async def test_a_tool_in_a_namespace_is_called_with_it(http: httpx.AsyncClient) -> None:
    answer = await post(http, input="at home", tools=[SPACE])
    call = answer["output"][-1]
    assert (call["name"], call["namespace"]) == ("get_weather", "home")
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
    final = await post(http, input=[result], previous_response_id=answer["id"], tools=[SPACE])
    assert final["output"][-1]["content"][0]["text"] == "It is 18 degrees."


@asks
@pytest.mark.parametrize(("choice", "calls"), [("none", 0), ("auto", 1)])
async def test_whether_a_tool_is_called_is_chosen(http: httpx.AsyncClient, choice: str, calls: int) -> None:
    answer = await post(http, input="weather", tools=[{**WEATHER, "parameters": CITY}], tool_choice=choice)
    assert [item["type"] for item in answer["output"]].count("function_call") == calls


@asks
async def test_a_prompt_that_is_too_long_is_refused_unless_it_may_be_cut(http: httpx.AsyncClient) -> None:
    said = [{"role": "user", "content": "Hello " * 300} for _ in range(5)]
    error = await post(http, 400, input=said)
    assert error["code"] == "context_length_exceeded"
    cut = await post(http, input=said, truncation="auto", max_output_tokens=5)
    assert cut["truncation"] == "auto"


@asks
async def test_a_compaction_keeps_what_the_user_said_and_goes_on(http: httpx.AsyncClient) -> None:
    first = await post(http, input="Hello")
    body = {"model": "fake", "previous_response_id": first["id"], "input": "Hello again"}
    found = (await http.post("/v1/responses/compact", json=body)).json()
    assert found["object"] == "response.compaction"
    assert [item["type"] for item in found["output"]] == ["message", "message", "compaction"]
    assert (await post(http, input=[*found["output"], {"role": "user", "content": "Hello"}]))["status"] == "completed"
    assert (await http.post("/v1/responses/compact", json={"input": "x"})).status_code == 400


@asks
async def test_metadata_and_what_is_only_accepted_come_back(http: httpx.AsyncClient) -> None:
    given: dict[str, Any] = {"metadata": {"a": "b"}, "safety_identifier": "s", "user": "u", "prompt_cache_key": "k"}
    answer = await post(http, input="Hello", service_tier="flex", **given)
    assert {name: answer[name] for name in given} == given


@asks
async def test_default_is_always_a_model_and_an_unknown_one_is_answered_with_those_there_are(
    http: httpx.AsyncClient,
) -> None:
    assert (await post(http, input="Hello", model="default"))["model"] == "fake"
    error = await post(http, 404, input="Hello", model="gpt-9")
    assert error["code"] == "model_not_found"
    assert "fake" in error["message"]


@asks
async def test_an_error_has_its_shape_and_the_request_its_id(http: httpx.AsyncClient) -> None:
    found = await http.post("/v1/responses", content=b"{", headers={"x-request-id": "mine"})
    assert found.status_code == 400
    assert found.headers["x-request-id"] == "mine"
    assert set(found.json()["error"]) == {"message", "type", "param", "code"}


@asks
async def test_pictures_files_and_sound_are_refused_by_their_place(http: httpx.AsyncClient) -> None:
    for part in (
        {"type": "input_image", "image_url": "data:image/png;base64,AA=="},
        {"type": "input_file", "file_id": "file_1"},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
    ):
        error = await post(http, 400, input=[{"role": "user", "content": [part]}])
        assert error["param"].startswith("input[0].content[0]")


@asks
async def test_input_items_are_newest_first_unless_asked_otherwise(http: httpx.AsyncClient) -> None:
    said = [{"role": "user", "content": text} for text in ("one", "two", "three")]
    name = (await post(http, input=said))["id"]
    texts = {}
    for order in ("", "?order=asc"):
        page = (await http.get(f"/v1/responses/{name}/input_items{order}")).json()
        assert set(page) == {"object", "data", "first_id", "last_id", "has_more"}
        texts[order] = [item["content"][0]["text"] for item in page["data"]]
    assert texts == {"": ["three", "two", "one"], "?order=asc": ["one", "two", "three"]}


@asks
async def test_a_stream_goes_on_after_any_event(http: httpx.AsyncClient) -> None:
    body = (await http.post("/v1/responses", json={"input": "Hello", "stream": True})).content
    events = parsed(body)
    name = events[0]["response"]["id"]
    for after, _ in pairwise(events):
        number = after["sequence_number"]
        rest = await http.get(f"/v1/responses/{name}", params={"stream": True, "starting_after": number})
        assert parsed(rest.content) == events[number + 1 :]
