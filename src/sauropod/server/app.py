"""create_app: the server as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from sauropod import Engine
from sauropod.server.catalog import Catalog, ModelEntry
from sauropod.server.config import Settings
from sauropod.server.http.guard import Door, Guard, hosts_of, not_served
from sauropod.server.http.routes import all_routes
from sauropod.server.responding import Responder
from sauropod.server.responding.recovering import recover
from sauropod.server.serving import Server
from sauropod.server.store import Store, StoreError

__all__ = ["create_app"]

_log = logging.getLogger("sauropod.server")

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "DELETE"],
    "expose_headers": ["x-request-id", "retry-after"],
}

SWEEP = 60.0
"""Seconds between two looks for what is no longer to be kept, and for what another server left unfinished."""


def create_app(
    settings: Settings | None = None, *, engines: Mapping[str, Callable[[], Engine]] | None = None
) -> Starlette:
    """The server as an ASGI application, for uvicorn, or for another application to mount.

        app = create_app(engines={"small": lambda: Engine("./small.gguf")})

    Without settings it is what `sauropod serve` is without a configuration, and reads none: give it
    `Settings.load()` for that. `engines` are the models by name, instead of those of the settings: each is made when it
    is first asked for. The first of them is the default.

    It has to be told when it starts and ends, by ASGI's lifespan. An application that mounts it runs
    `app.router.lifespan_context(app)` within its own.
    """
    settings = settings or Settings()
    entries = _entries(settings) if engines is None else [ModelEntry(name, make) for name, make in engines.items()]
    middleware = [Middleware(Guard, door=_door(settings))]
    if settings.cors.allow_origins:
        # Before the guard: what a browser asks beforehand carries no key.
        middleware.insert(0, Middleware(CORSMiddleware, **CORS, **settings.cors.options()))
    return Starlette(
        routes=all_routes(),
        middleware=middleware,
        lifespan=partial(_lifespan, settings, entries),
        exception_handlers={HTTPException: not_served},
    )


@asynccontextmanager
async def _lifespan(settings: Settings, entries: Sequence[ModelEntry], app: Starlette) -> AsyncIterator[None]:
    async with Store.open(settings.database) as store, anyio.create_task_group() as tasks:
        catalog = Catalog.of(entries, tasks)
        server = Server(
            catalog=catalog,
            tasks=tasks,
            store=store,
            retention=settings.retention.seconds,
            body_limit=settings.limits.body_bytes,
            upload_limit=settings.limits.upload_bytes,
            patience=settings.limits.slow_client_seconds,
        )
        app.state.server, app.state.responder = server, (responder := Responder(server))
        await recover(responder)
        tasks.start_soon(_sweep, settings, responder)
        server.loading.update(entry.name for entry in entries if entry.preload)
        for name in server.loading:
            tasks.start_soon(_preload, server, name)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await responder.stop_all()
                await catalog.close()
            tasks.cancel_scope.cancel()


async def _preload(server: Server, name: str) -> None:
    try:
        async with server.catalog.use(name):
            pass
    except Exception as error:
        _log.error("The model %r could not be loaded: %s", name, error)
    finally:
        server.loading.discard(name)


async def _sweep(settings: Settings, responder: Responder) -> None:
    store, now = responder.server.store, responder.server.now
    while True:
        try:
            count = await store.expire(int(now()), settings.retention.maximum_responses)
            if count:
                _log.info("%d responses were kept long enough and are gone.", count)
            await anyio.sleep(SWEEP)
            await recover(responder)
        except StoreError as error:
            _log.error("%s", error)
            await anyio.sleep(SWEEP)


def _door(settings: Settings) -> Door:
    hosts = None if "*" in settings.allowed_hosts else hosts_of(settings.host, settings.allowed_hosts)
    return Door(settings.authentication.keys, hosts, settings.cors.allow_origins)


def _entries(settings: Settings) -> list[ModelEntry]:
    return [
        ModelEntry(
            name=name,
            make=partial(settings.engine, name),
            aliases=tuple(model.aliases),
            keep_alive=model.keep_alive,
            default=model.default,
            preload=model.preload,
            about=str(model.source),
        )
        for name, model in settings.models.items()
    ]
