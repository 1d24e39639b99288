"""A server to ask: in process, or on a real socket."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
import httpx
import uvicorn
from starlette.applications import Starlette

from sauropod import Engine
from sauropod.server import Settings, create_app
from sauropod.server.listening import configuration

__all__ = ["SAYS", "Listening", "fake", "listening", "serving"]

SAYS = {
    "Hello": "Hello there, how are you?",
    "think": "<think>Hm, let me see.</think>So it is.",
    "weather": '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    "18 degrees": "It is 18 degrees.",
    "JSON": '{"name": "Ada", "age": 36}',
    "Summarise": "They greeted each other.",
    "long": "word " * 400,
}
"""What the fake model answers."""


def fake(**options: Any) -> Callable[[], Engine]:
    """A model that says what `SAYS` has."""
    given = {"says": SAYS, "context_length": 4096, "slots": 4, **options}
    return lambda: Engine("fake:", options=given, isolation="thread")


@asynccontextmanager
async def serving(
    engines: Mapping[str, Callable[[], Engine]] | None = None, *, settings: Settings | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a server in this process. What it streams comes as a whole."""
    app = application(engines, settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
            yield client


def application(engines: Mapping[str, Callable[[], Engine]] | None, settings: Settings | None) -> Starlette:
    return create_app(settings or Settings(database=":memory:"), engines=engines or {"fake": fake()})


@attrs.frozen
class Listening:
    """A server on a socket."""

    app: Starlette
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@asynccontextmanager
async def listening(
    engines: Mapping[str, Callable[[], Engine]] | None = None,
    *,
    settings: Settings | None = None,
    app: Starlette | None = None,
) -> AsyncIterator[Listening]:
    """A server on a port that was free. It stops with the block. Needs asyncio."""
    settings = settings or Settings(database=":memory:")
    app = app or application(engines, settings)
    config = configuration(app, settings)
    config.port = 0
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined]

    async def serve() -> None:
        with anyio.CancelScope(shield=True):  # it ends as it should even when a test fails
            await server._serve()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        while not server.started:
            await anyio.sleep(0.005)
        try:
            yield Listening(app, server.servers[0].sockets[0].getsockname()[1])
        finally:
            server.should_exit = True
