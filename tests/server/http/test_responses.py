"""/v1/responses: what is asked, answered, kept and told again."""

from __future__ import annotations

import importlib.util
import json
from typing import Any

import anyio
import httpx
import pytest
from sqlalchemy import text

from sauropod import Engine
from server.checking import check_events, check_response, parsed
from server.serving import fake, serving

pytestmark = pytest.mark.anyio

WEATHER = {
    "type": "function",
    "name": "get_weather",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


async def created(client: httpx.AsyncClient, input: Any, **asked: Any) -> dict[str, Any]:
    found = await client.post("/v1/responses", json={"model": "fake", "input": input, **asked})
    assert found.status_code == 200, found.text
    response: dict[str, Any] = found.json()
    check_response(response)
    return response


async def streamed(client: httpx.AsyncClient, input: Any, **asked: Any) -> list[dict[str, Any]]:
    found = await client.post("/v1/responses", json={"model": "fake", "input": input, "stream": True, **asked})
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "text/event-stream; charset=utf-8"
    return parsed(found.content)


def text_of(response: dict[str, Any]) -> str:
    return "".join(part["text"] for item in response["output"] if item["type"] == "message" for part in item["content"])


async def test_a_question_is_answered() -> None:
    async with serving() as client:
        response = await created(client, "Hello")
    assert text_of(response) == "Hello there, how are you?"
    assert response["model"] == "fake"
    assert response["usage"]["total_tokens"] == response["usage"]["input_tokens"] + response["usage"]["output_tokens"]


async def test_a_stream_adds_up_to_what_is_kept() -> None:
    async with serving() as client:
        final = check_events(await streamed(client, "Hello"))
        kept = (await client.get(f"/v1/responses/{final['id']}")).json()
    assert kept == final


async def test_thoughts_are_an_item_of_their_own() -> None:
    async with serving() as client:
        final = check_events(await streamed(client, "think", include=["reasoning.encrypted_content"]))
    first, second = final["output"]
    assert (first["type"], first["content"][0]["text"]) == ("reasoning", "Hm, let me see.")
    assert first["encrypted_content"]
    assert second["content"][0]["text"] == "So it is."
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] > 0


async def test_a_tool_is_called_and_its_result_answered() -> None:
    async with serving() as client:
        first = check_events(await streamed(client, "weather", tools=[WEATHER]))
        (call,) = first["output"]
        assert (call["name"], call["arguments"].replace(" ", "")) == ("get_weather", '{"city":"Paris"}')
        result = {"type": "function_call_output", "call_id": call["call_id"], "output": "18 degrees"}
        second = await created(client, [result], previous_response_id=first["id"], tools=[WEATHER])
    assert text_of(second) == "It is 18 degrees."


async def test_a_chain_goes_back_to_its_beginning() -> None:
    async with serving() as client:
        first = await created(client, "Hello")
        second = await created(client, "one", previous_response_id=first["id"], instructions="Be brief.")
        third = await created(client, "two", previous_response_id=second["id"])
        count = await client.post(
            "/v1/responses/input_tokens",
            json={"model": "fake", "input": "three", "previous_response_id": third["id"]},
        )
        whole = await client.post(
            "/v1/responses/input_tokens",
            json={
                "model": "fake",
                "input": [
                    {"role": "user", "content": "Hello"},
                    {"role": "assistant", "content": text_of(first)},
                    {"role": "user", "content": "one"},
                    {"role": "assistant", "content": text_of(second)},
                    {"role": "user", "content": "two"},
                    {"role": "assistant", "content": text_of(third)},
                    {"role": "user", "content": "three"},
                ],
            },
        )
    assert count.json() == whole.json() != {}


async def test_input_items_are_listed_in_pages() -> None:
    items = [{"role": "user", "content": f"Hello {at}"} for at in range(5)]
    async with serving() as client:
        response = await created(client, items)
        url = f"/v1/responses/{response['id']}/input_items"
        newest = (await client.get(url, params={"limit": 2})).json()
        rest = (await client.get(url, params={"after": newest["last_id"], "limit": 100})).json()
        oldest = (await client.get(url, params={"order": "asc", "limit": 1})).json()
        wrong = await client.get(url, params={"limit": 101})
    texts = [item["content"][0]["text"] for page in (newest, rest) for item in page["data"]]
    assert texts == [f"Hello {at}" for at in (4, 3, 2, 1, 0)]
    assert (newest["has_more"], rest["has_more"]) == (True, False)
    assert oldest["first_id"] == oldest["last_id"] == rest["last_id"]
    assert wrong.status_code == 400


async def test_what_is_not_stored_is_not_there() -> None:
    async with serving() as client:
        response = await created(client, "Hello", store=False)
        assert (await client.get(f"/v1/responses/{response['id']}")).status_code == 404
        found = await client.post(
            "/v1/responses", json={"model": "fake", "input": "x", "previous_response_id": response["id"]}
        )
    assert (found.status_code, found.json()["error"]["code"]) == (400, "previous_response_not_found")


async def test_a_deleted_response_is_gone() -> None:
    async with serving() as client:
        response = await created(client, "Hello")
        found = await client.delete(f"/v1/responses/{response['id']}")
        assert found.json() == {"id": response["id"], "object": "response", "deleted": True}
        assert (await client.get(f"/v1/responses/{response['id']}")).status_code == 404
        assert (await client.delete(f"/v1/responses/{response['id']}")).status_code == 404


async def test_a_limit_of_tokens_makes_it_incomplete() -> None:
    async with serving() as client:
        final = check_events(await streamed(client, "long", max_output_tokens=5))
    assert final["status"] == "incomplete"
    assert final["incomplete_details"] == {"reason": "max_output_tokens"}
    assert final["usage"]["output_tokens"] == 5
    assert text_of(final)


async def test_a_prompt_that_is_too_long_is_refused_before_anything_is_told() -> None:
    async with serving({"fake": fake(context_length=64)}) as client:
        for stream in (True, False):
            found = await client.post("/v1/responses", json={"input": "x" * 500, "stream": stream})
            assert (found.status_code, found.json()["error"]["code"]) == (400, "context_length_exceeded")
        shortened = await created(
            client,
            [
                {"role": "user", "content": "x" * 500},
                {"role": "assistant", "content": "y"},
                {"role": "user", "content": "Hello"},
            ],
            truncation="auto",
            max_output_tokens=3,
        )
    assert shortened["truncation"] == "auto"


async def test_a_stream_is_told_again_from_any_place() -> None:
    async with serving() as client:
        events = await streamed(client, "Hello")
        url = f"/v1/responses/{events[-1]['response']['id']}"
        for after in (0, 3, len(events) - 1):
            found = await client.get(url, params={"stream": "true", "starting_after": after})
            assert parsed(found.content) == events[after + 1 :]


async def test_a_response_that_was_not_streamed_can_be_told_as_a_stream() -> None:
    async with serving() as client:
        response = await created(client, "think")
        found = await client.get(f"/v1/responses/{response['id']}", params={"stream": "true"})
    assert check_events(parsed(found.content)) == response


async def test_a_response_in_the_background_is_fetched_later() -> None:
    async with serving() as client:
        begun = await created(client, "Hello", background=True)
        assert begun["status"] in ("queued", "in_progress")
        found = await client.get(f"/v1/responses/{begun['id']}", params={"stream": "true"})
        final = check_events(parsed(found.content), queued=True)
        kept = (await client.get(f"/v1/responses/{begun['id']}")).json()
    assert final == kept
    assert text_of(kept) == "Hello there, how are you?"


async def test_a_response_in_the_background_is_cancelled() -> None:
    async with serving({"fake": fake(seconds_per_token=0.01)}) as client:
        begun = await created(client, "long", background=True)
        found = (await client.post(f"/v1/responses/{begun['id']}/cancel")).json()
        assert found["status"] == "cancelled"
        check_response(found)
        again = (await client.post(f"/v1/responses/{begun['id']}/cancel")).json()
        assert again == found


async def test_a_response_that_is_not_in_the_background_cannot_be_cancelled() -> None:
    async with serving() as client:
        response = await created(client, "Hello")
        assert (await client.post(f"/v1/responses/{response['id']}/cancel")).status_code == 400


async def test_a_conversation_gets_what_is_said_in_it() -> None:
    async with serving() as client:
        name = (await client.post("/v1/conversations", json={})).json()["id"]
        await created(client, "Hello", conversation=name)
        await created(client, "think", conversation={"id": name})
        items = (await client.get(f"/v1/conversations/{name}/items", params={"order": "asc"})).json()["data"]
        unknown = await client.post("/v1/responses", json={"input": "x", "conversation": "conv_none"})
    assert [item["type"] for item in items] == ["message", "message", "message", "reasoning", "message"]
    assert unknown.status_code == 404


async def test_a_compacted_conversation_goes_on() -> None:
    async with serving() as client:
        first = await created(client, "Hello")
        found = await client.post("/v1/responses/compact", json={"model": "fake", "previous_response_id": first["id"]})
        assert found.status_code == 200, found.text
        compacted = found.json()
        assert compacted["object"] == "response.compaction"
        assert [item["type"] for item in compacted["output"]] == ["message", "compaction"]
        await created(client, [*compacted["output"], {"role": "user", "content": "think"}])
        without = await client.post("/v1/responses/compact", json={"input": "x"})
    assert (without.status_code, without.json()["error"]["param"]) == (400, "model")


async def test_an_item_is_referred_to() -> None:
    async with serving() as client:
        first = await created(client, "Hello")
        item = first["output"][0]["id"]
        await created(client, [{"type": "item_reference", "id": item}, {"role": "user", "content": "think"}])
        found = await client.post("/v1/responses", json={"input": [{"type": "item_reference", "id": "msg_none"}]})
    assert (found.status_code, found.json()["error"]["code"]) == (400, "item_not_found")


@pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed")
async def test_a_text_is_held_to_a_schema() -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "person", "schema": schema, "strict": True}
    question = "Turn this into JSON: Ada is 36 years old."
    async with serving({"fake": lambda: Engine("demo")}) as client:
        response = await created(client, question, text={"format": form}, max_output_tokens=60)
        wrong = await client.post(
            "/v1/responses", json={"input": question, "text": {"format": {**form, "schema": {"not": {}}}}}
        )
    assert response["text"]["format"]["schema"] == schema
    assert set(json.loads(text_of(response))) == {"name", "age"}
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (400, "invalid_json_schema")


async def test_logprobs_are_told_with_the_text() -> None:
    async with serving() as client:
        events = await streamed(client, "Hello", top_logprobs=2, include=["message.output_text.logprobs"])
        final = check_events(events)
    (part,) = final["output"][0]["content"]
    assert part["logprobs"]
    assert all(len(each["top_logprobs"]) == 2 for each in part["logprobs"])
    told = [each for event in events if event["type"] == "response.output_text.delta" for each in event["logprobs"]]
    assert told == part["logprobs"]


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "input"),
        ({"input": 5}, "input"),
        ({"input": "x", "temperature": 3}, "temperature"),
        ({"input": "x", "metadata": {"a": 1}}, "metadata[...]"),
        ({"input": "x", "top_logprobs": 21}, "top_logprobs"),
        ({"input": "x", "store": False, "background": True}, "store"),
        ({"input": "x", "previous_response_id": "a", "conversation": "b"}, "previous_response_id"),
        ({"input": "x", "prompt": {"id": "p"}}, "prompt"),
    ],
)
async def test_what_is_wrong_with_a_request_is_named(body: dict[str, Any], param: str) -> None:
    async with serving() as client:
        found = await client.post("/v1/responses", json=body)
    assert found.status_code == 400
    assert (found.json()["error"]["param"] or "").split("[")[0] == param.split("[")[0]


async def test_a_body_that_is_no_json_is_refused() -> None:
    async with serving() as client:
        found = await client.post("/v1/responses", content=b'{"input": ')
    assert found.status_code == 400
    assert "not valid JSON" in found.json()["error"]["message"]


async def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    async with serving() as client:
        found = await client.post("/v1/responses", json={"model": "gpt-9", "input": "x"})
    assert (found.status_code, found.json()["error"]["code"]) == (404, "model_not_found")
    assert "fake" in found.json()["error"]["message"]


async def test_tools_that_nobody_knows_are_left_out() -> None:
    async with serving() as client:
        response = await created(client, "Hello", tools=[{"type": "web_search"}, WEATHER])
    assert [tool["type"] for tool in response["tools"]] == ["web_search", "function"]


@pytest.mark.parametrize("stream", [True, False])
async def test_what_cannot_be_kept_is_an_error_and_not_an_answer(stream: bool) -> None:
    async with serving() as client:
        await created(client, "Hello")
        store = client._transport.app.state.server.store  # type: ignore[attr-defined]
        await store._db.write(lambda c: c.execute(text("ALTER TABLE response_items RENAME TO gone")))
        found = await client.post("/v1/responses", json={"input": "long", "stream": stream})
        assert (found.status_code, found.json()["error"]["code"]) == (503, "store_failed")
        await store._db.write(lambda c: c.execute(text("ALTER TABLE gone RENAME TO response_items")))
        assert (await created(client, "Hello"))["status"] == "completed"


async def test_a_stream_whose_end_cannot_be_kept_ends_with_an_error() -> None:
    async with serving({"fake": fake(seconds_per_token=0.01)}) as client:
        store = client._transport.app.state.server.store  # type: ignore[attr-defined]

        async def break_soon() -> None:
            while not client._transport.app.state.responder._running:  # type: ignore[attr-defined]
                await anyio.sleep(0.01)
            await anyio.sleep(0.1)
            await store._db.write(lambda c: c.execute(text("ALTER TABLE response_items RENAME TO gone")))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(break_soon)
            events = await streamed(client, "Hello")
        assert (events[-1]["type"], events[-1]["code"]) == ("error", "store_failed")
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
