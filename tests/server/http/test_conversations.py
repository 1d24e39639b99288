"""/v1/conversations: all eight routes, by the official client."""

from __future__ import annotations

import openai
import pytest
from openai import AsyncOpenAI

from server.serving import listening, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


async def test_all_eight_routes() -> None:
    async with (
        listening() as server,
        AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0) as client,
    ):
        hello = {"type": "message", "role": "user", "content": "Hello"}
        made = await client.conversations.create(items=[hello], metadata={"topic": "a"})  # type: ignore[list-item]
        assert (await client.conversations.retrieve(made.id)).metadata == {"topic": "a"}
        assert (await client.conversations.update(made.id, metadata={"topic": "b"})).metadata == {"topic": "b"}
        added = await client.conversations.items.create(
            made.id, items=[{"type": "message", "role": "assistant", "content": "Hi"}]
        )
        listed = [item async for item in client.conversations.items.list(made.id, order="asc", limit=1)]
        assert [item.type for item in listed] == ["message", "message"]
        item_id = added.data[0].id
        assert item_id is not None
        item = await client.conversations.items.retrieve(item_id, conversation_id=made.id)
        assert item == listed[1]
        left = await client.conversations.items.delete(item_id, conversation_id=made.id)
        assert left.id == made.id
        assert len([item async for item in client.conversations.items.list(made.id)]) == 1
        assert (await client.conversations.delete(made.id)).deleted
        with pytest.raises(openai.NotFoundError):
            await client.conversations.retrieve(made.id)


async def test_what_is_wrong_is_refused() -> None:
    async with serving() as http:
        made = (await http.post("/v1/conversations")).json()
        url = f"/v1/conversations/{made['id']}"
        many = await http.post(f"{url}/items", json={"items": [{"role": "user", "content": "x"}] * 21})
        reference = await http.post(f"{url}/items", json={"items": [{"type": "item_reference", "id": "x"}]})
        nothing = await http.post(f"{url}/items", json={})
        unknown = await http.get(f"{url}/items/msg_none")
        assert [each.status_code for each in (many, reference, nothing, unknown)] == [400, 400, 400, 404]
        empty = (await http.get(f"{url}/items")).json()
    assert empty == {"object": "list", "data": [], "first_id": None, "last_id": None, "has_more": False}
