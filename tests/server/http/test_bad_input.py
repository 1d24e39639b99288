"""Whatever is sent is answered, and what makes no sense with 400."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from server.serving import fake, serving

pytestmark = pytest.mark.anyio

DEEP = "[" * 200_000


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with serving({"fake": fake()}) as client:
        yield client


def user(*parts: Any) -> dict[str, Any]:
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    "asked",
    [
        {"input": [{"type": [1], "content": "x"}]},
        {"input": [{"type": {"a": 1}}]},
        {"input": [user({"type": [1]})]},
        {"input": [user({"type": {}})]},
        {"input": [user({"type": None})]},
        {"input": []},
        {"input": "x", "previous_response_id": "\0"},
        {"input": "x", "tools": [{"type": "namespace", "name": "n", "tools": [{"type": [1]}, 3]}], "tool_choice": "x"},
        {"input": "x", "max_output_tokens": 10**30},
        {"input": "x", "metadata": {"a": {"b": 1}}},
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(http: httpx.AsyncClient, asked: dict[str, Any]) -> None:
    found = await http.post("/v1/responses", json=asked)
    assert found.status_code == 400, found.text


@pytest.mark.parametrize(
    "items",
    [
        [{"type": "compaction", "encrypted_content": base64.b64encode(DEEP.encode()).decode()}],
        [{"type": "compaction", "encrypted_content": base64.b64encode(b'{"sauropod":1,"text":"\\ud800"}').decode()}],
        [{"type": "reasoning", "summary": [], "encrypted_content": base64.b64encode(DEEP.encode()).decode()}],
        [
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": DEEP[:1500]},
            {"type": "function_call_output", "call_id": "call_1", "output": "x"},
        ],
    ],
)
async def test_items_that_are_odd_are_read_or_refused(http: httpx.AsyncClient, items: list[dict[str, Any]]) -> None:
    body = {"input": [*items, {"role": "user", "content": "Hello"}]}
    found = await http.post("/v1/responses", json=body)
    assert found.status_code in (200, 400), found.text


async def test_a_tool_of_an_odd_type_is_left_out(http: httpx.AsyncClient) -> None:
    found = await http.post("/v1/responses", json={"input": "Hello", "tools": [{"type": [1]}, {}]})
    assert found.status_code == 200


@pytest.mark.parametrize("number", ["-5", "1e3", "9" * 20, "9" * 5000, "x", ""])
async def test_a_number_that_is_none_is_refused(http: httpx.AsyncClient, number: str) -> None:
    name = (await http.post("/v1/responses", json={"input": "Hello"})).json()["id"]
    after = await http.get(f"/v1/responses/{name}", params={"stream": "true", "starting_after": number})
    limit = await http.get(f"/v1/responses/{name}/input_items", params={"limit": number})
    assert [after.status_code, limit.status_code] == [400, 400]


@pytest.mark.parametrize("seconds", ["9" * 30, "9" * 5000, "-1", "x"])
async def test_a_file_that_expires_never_is_refused(http: httpx.AsyncClient, seconds: str) -> None:
    data = {"purpose": "user_data", "expires_after[seconds]": seconds}
    found = await http.post("/v1/files", files={"file": ("a", b"x")}, data=data)
    assert found.status_code == 400


@pytest.mark.parametrize("origin", ["http://[", "null", "http://evil.example", ""])
async def test_an_origin_that_is_none_is_not_let_in(http: httpx.AsyncClient, origin: str) -> None:
    assert (await http.get("/v1/models", headers={"origin": origin})).status_code == 403


async def test_the_list_of_models_may_end_in_a_slash(http: httpx.AsyncClient) -> None:
    assert (await http.get("/v1/models/")).json() == (await http.get("/v1/models")).json()
    assert (await http.delete("/v1/models/")).status_code == 404


async def test_items_of_one_id_are_told_apart_in_a_conversation(http: httpx.AsyncClient) -> None:
    name = (await http.post("/v1/conversations")).json()["id"]
    for said in ("first", "second", "second"):
        item = {"type": "message", "id": "msg_a", "role": "user", "content": said}
        assert (await http.post("/v1/responses", json={"input": [item], "conversation": name})).status_code == 200
    kept = (await http.get(f"/v1/conversations/{name}/items?order=asc&limit=100")).json()["data"]
    texts = [item["content"][0]["text"] for item in kept if item["role"] == "user"]
    assert texts[:2] == ["first", "second"]
    assert [item["id"] for item in kept].count("msg_a") == 1


async def test_what_is_not_stored_is_nobody_elses(http: httpx.AsyncClient) -> None:
    found = await http.post("/v1/responses", json={"input": "Hello", "store": False})
    name = found.json()["id"]
    for answer in (await http.get(f"/v1/responses/{name}"), await http.delete(f"/v1/responses/{name}")):
        assert answer.status_code == 404
