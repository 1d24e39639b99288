"""/v1/files: what is sent is kept, listed, given back and deleted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from openai import AsyncOpenAI

from server.serving import listening, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with serving() as client:
        yield client


async def test_a_file_goes_the_whole_way_with_the_official_client() -> None:
    async with listening() as server, AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
        data = bytes(range(256)) * 12_000  # more than two pieces
        made = await client.files.create(
            file=("a.bin", data), purpose="user_data", expires_after={"anchor": "created_at", "seconds": 3600}
        )
        assert (made.bytes, made.filename, made.purpose) == (len(data), "a.bin", "user_data")
        assert made.expires_at == made.created_at + 3600
        assert await client.files.retrieve(made.id) == made
        assert (await client.files.content(made.id)).content == data
        assert [each.id async for each in client.files.list()] == [made.id]
        assert (await client.files.delete(made.id)).deleted
        assert [each.id async for each in client.files.list()] == []


async def test_an_empty_file_is_one(http: httpx.AsyncClient) -> None:
    made = await http.post("/v1/files", files={"file": ("empty", b"")}, data={"purpose": "user_data"})
    assert made.json()["bytes"] == 0
    assert (await http.get(f"/v1/files/{made.json()['id']}/content")).content == b""


async def _endless() -> AsyncIterator[bytes]:
    yield b"x"


async def test_what_is_wrong_is_refused(http: httpx.AsyncClient) -> None:
    nothing = await http.post("/v1/files", data={"purpose": "user_data"})
    purpose = await http.post("/v1/files", files={"file": ("a", b"x")}, data={"purpose": "fun"})
    endless = await http.post("/v1/files", content=_endless())
    large = await http.post("/v1/files", content=b"x", headers={"content-length": str(10**12)})
    statuses = [each.status_code for each in (nothing, purpose, large)]
    assert statuses == [400, 400, 413]
    assert endless.status_code == 411
    for method in ("GET", "DELETE"):
        assert (await http.request(method, "/v1/files/file_none")).status_code == 404
    assert (await http.get("/v1/files/file_none/content")).status_code == 404
    assert (await http.get("/v1/files?after=file_none")).status_code == 400
