"""Health says whether requests are taken, and why not."""

from __future__ import annotations

import anyio
import httpx
import pytest

from sauropod.server import create_app
from server.config.asking import settings
from server.serving import fake, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


async def test_a_server_is_ready_and_says_what_is_loaded() -> None:
    async with serving({"a": fake(), "b": fake()}) as http:
        await http.post("/v1/responses", json={"model": "b", "input": "Hello", "store": False})
        for path in ("/health", "/health/ready"):
            found = await http.get(path)
            assert found.status_code == 200
            models = [{"id": "a", "loaded": False}, {"id": "b", "loaded": True}]
            assert found.json() == {"status": "ok", "models": models}
        assert (await http.get("/health/live")).json() == {"status": "ok"}


async def test_it_is_not_before_what_is_to_be_loaded_is() -> None:
    slow = settings(
        'database = ":memory:"\n[models.m]\nmodel = "fake:"\npreload = true\noptions = {load_seconds = 0.3}'
    )
    app = create_app(slow)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http,
    ):
        early = await http.get("/health/ready")
        assert (early.status_code, early.json()["status"]) == (503, "loading")
        with anyio.fail_after(20):
            while (await http.get("/health/ready")).status_code != 200:
                await anyio.sleep(0.02)
        assert (await http.get("/health")).json()["models"] == [{"id": "m", "loaded": True}]
