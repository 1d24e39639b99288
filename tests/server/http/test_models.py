"""/v1/models, in process and by the official client over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator

import openai
import pytest
from openai.types import Model

from sauropod.server.catalog import ModelEntry
from server.sdk import strict
from server.serving import fake
from server.talking import Talk, on_a_socket, talking

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def talk() -> AsyncIterator[Talk]:
    named = ModelEntry("org/large", fake(says={}), aliases=("gpt-4o",), created=5)
    small = ModelEntry("small", fake(says={}), created=7)
    async with talking([named, small]) as talk:
        yield talk


async def test_all_models_are_listed(talk: Talk) -> None:
    found = (await talk.http.get("/v1/models")).json()
    models = [strict(Model, each) for each in found["data"]]
    assert found["object"] == "list"
    assert [(model.id, model.created, model.owned_by) for model in models] == [
        ("org/large", 5, "sauropod"),
        ("small", 7, "sauropod"),
    ]


@pytest.mark.parametrize("name", ["org/large", "GPT-4o", "default"])
async def test_a_model_is_found_by_any_of_its_names(talk: Talk, name: str) -> None:
    found = strict(Model, (await talk.http.get(f"/v1/models/{name}")).json())
    assert found.id == "org/large"


async def test_a_model_is_taken_out_of_memory_unless_it_is_in_use(talk: Talk) -> None:
    async with talk.server.catalog.use("gpt-4o"):
        refused = await talk.http.delete("/v1/models/gpt-4o")
        assert (refused.status_code, refused.headers["x-should-retry"]) == (409, "false")
        assert talk.server.catalog.opened("org/large") is not None
    found = await talk.http.delete("/v1/models/gpt-4o")
    assert found.json() == {"id": "org/large", "object": "model", "deleted": True}
    assert talk.server.catalog.opened("org/large") is None
    async with talk.server.catalog.use("gpt-4o") as served:
        assert served.name == "org/large"


async def test_the_official_client_is_answered(talk: Talk) -> None:
    async with on_a_socket(talk.app) as client:
        assert [model.id async for model in client.models.list()] == ["org/large", "small"]
        assert (await client.models.retrieve("org/large")).id == "org/large"
        assert (await client.models.delete("small")).deleted
        with pytest.raises(openai.NotFoundError, match="There are: org/large, small"):
            await client.models.retrieve("nobody")
