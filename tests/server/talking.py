"""A server in this process, with what tests of text APIs ask of it, and the official client of it over a socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
import httpx
import uvicorn
from openai import AsyncOpenAI
from starlette.applications import Starlette

from sauropod import Engine
from sauropod.server.catalog import Catalog, ModelEntry
from sauropod.server.serving import Server
from server.serving import application, fake
from workers import link_of

__all__ = ["Talk", "endless", "on_a_socket", "talking", "until"]


@attrs.frozen
class Talk:
    """A server in this process."""

    app: Starlette
    http: httpx.AsyncClient

    @property
    def server(self) -> Server:
        server: Server = self.app.state.server
        return server

    def engine(self, name: str) -> Engine:
        engine = self.server.catalog.opened(name)
        assert engine is not None
        return engine

    def works_on(self, name: str) -> int:
        """How many texts the model has to write."""
        engine = self.server.catalog.opened(name)
        return 0 if engine is None else len(link_of(engine)._exchanges)

    async def post(self, path: str, **body: Any) -> httpx.Response:
        return await self.http.post(path, json=body)

    async def refused(self, path: str, status: int = 400, **body: Any) -> dict[str, Any]:
        """The error of a request that is refused so."""
        found = await self.post(path, **body)
        assert found.status_code == status, found.text
        error: dict[str, Any] = found.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return error


def endless() -> Callable[[], Engine]:
    """A model that writes one text at a time, and goes on for hours."""
    return fake(says={}, context_length=10_000_000, eos_rate=0.0, seconds_per_token=0.001, slots=1)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, and fail if it takes very long."""
    with anyio.fail_after(10):
        while not condition():
            await anyio.sleep(0)


@asynccontextmanager
async def talking(entries: Iterable[ModelEntry] = (), **models: Callable[[], Engine]) -> AsyncIterator[Talk]:
    """A server of these models. The first is the default."""
    every = [*entries, *[ModelEntry(name, make) for name, make in models.items()]]
    app = application({entry.name: entry.make for entry in every}, None)
    async with app.router.lifespan_context(app):
        server: Server = app.state.server
        server.catalog = Catalog.of(every, server.tasks)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as http:
            yield Talk(app, http)
        await server.catalog.close()


@asynccontextmanager
async def on_a_socket(app: Starlette) -> AsyncIterator[AsyncOpenAI]:
    """The official client of an app that runs already and now listens, too."""
    config = uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(server._serve)
        await until(lambda: server.started)
        port = server.servers[0].sockets[0].getsockname()[1]
        try:
            async with AsyncOpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key="none", max_retries=0) as client:
                yield client
        finally:
            server.should_exit = True
