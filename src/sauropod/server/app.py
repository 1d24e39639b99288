"""create_app: the server as an ASGI application."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import attrs
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from sauropod import Engine, Transcriber, Voice
from sauropod.errors import UnsupportedInput
from sauropod.server.catalog import DEFAULT, Catalog, ModelEntry
from sauropod.server.config import Settings
from sauropod.server.config.naming import source_text
from sauropod.server.http.guard import Door, Guard, hosts_of, not_served
from sauropod.server.http.routes import all_routes
from sauropod.server.responding import Responder
from sauropod.server.responding.recovering import recover
from sauropod.server.serving import Server
from sauropod.server.store import Store, StoreError
from sauropod.server.voices import Ears, Voices

__all__ = ["create_app"]

_log = logging.getLogger("sauropod.server")

CORS: dict[str, Any] = {
    "allow_methods": ["GET", "POST", "DELETE"],
    "expose_headers": ["x-request-id", "retry-after"],
}

SWEEP = 60.0
"""Seconds between two looks for what is no longer to be kept, and for what another server left unfinished."""


def create_app(
    settings: Settings | None = None,
    *,
    engines: Mapping[str, Callable[[], Engine]] | None = None,
    voices: Mapping[str, Callable[[], Voice]] | None = None,
    transcriber: Callable[[], Transcriber] | None = None,
) -> Starlette:
    """The server as an ASGI application, for uvicorn, or for another application to mount.

        app = create_app(engines={"small": lambda: Engine("./small.gguf")})

    Without settings it is what `sauropod serve` is without a configuration, and reads none: give it
    `Settings.load()` for that. `engines`, `voices` and `transcriber` are what thinks, speaks and hears, instead of what
    the settings name: each is made when it is first asked for. Of several the first is the default.

    It has to be told when it starts and ends, by ASGI's lifespan. An application that mounts it runs
    `app.router.lifespan_context(app)` within its own.
    """
    settings = settings or Settings()
    if engines is not None and not engines:
        raise UnsupportedInput("A server without models has nothing to serve. Leave `engines` out for the demo's.")
    models = _Models(
        _entries(settings) if engines is None else [ModelEntry(name, make) for name, make in engines.items()],
        {name: partial(settings.voice, name) for name in settings.voices} if voices is None else voices,
        _transcriber(settings) if transcriber is None else transcriber,
    )
    middleware = [Middleware(Guard, door=_door(settings))]
    if settings.cors.allow_origins:
        # Before the guard: what a browser asks beforehand carries no key.
        middleware.insert(0, Middleware(CORSMiddleware, **CORS, **settings.cors.options()))
    return Starlette(
        routes=all_routes(),
        middleware=middleware,
        lifespan=partial(_lifespan, settings, models),
        exception_handlers={HTTPException: not_served},
    )


@attrs.frozen
class _Models:
    """What there is to serve, and how each is made."""

    entries: Sequence[ModelEntry]
    voices: Mapping[str, Callable[[], Voice]]
    transcriber: Callable[[], Transcriber] | None


@asynccontextmanager
async def _lifespan(settings: Settings, models: _Models, app: Starlette) -> AsyncIterator[None]:
    async with Store.open(settings.database) as store, anyio.create_task_group() as tasks:
        catalog, voices = Catalog.of(models.entries, tasks), Voices.of(models.voices, tasks)
        ears = Ears.of(_ears_name(settings), models.transcriber, tasks)
        server = Server(
            catalog=catalog,
            tasks=tasks,
            voices=voices,
            ears=ears,
            store=store,
            retention=settings.retention.seconds,
            body_limit=settings.limits.body_bytes,
            upload_limit=settings.limits.upload_bytes,
            patience=settings.limits.slow_client_seconds,
            recordings=_directory(settings.realtime.record),
            record_audio=settings.realtime.record_audio,
        )
        app.state.server, app.state.responder = server, (responder := Responder(server))
        await recover(responder)
        tasks.start_soon(_sweep, settings, responder)
        server.loading.update(entry.name for entry in models.entries if entry.preload)
        for name in server.loading:
            tasks.start_soon(_preload, server, name)
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await responder.stop_all()
                for kept in (catalog, voices, ears):
                    await kept.close()
            tasks.cancel_scope.cancel()


def _directory(path: str | None) -> Path | None:
    """The directory, made if it is not there."""
    if path is None:
        return None
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    return directory


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
            await responder.server.keep_again()
        except StoreError as error:
            _log.error("%s", error)
            await anyio.sleep(SWEEP)
        except Exception:
            _log.exception("What should be done once a minute could not be done.")
            await anyio.sleep(SWEEP)


def _transcriber(settings: Settings) -> Callable[[], Transcriber] | None:
    def make() -> Transcriber:
        made = settings.transcriber()
        assert made is not None
        return made

    return None if settings.stt_model is None else make


def _ears_name(settings: Settings) -> str:
    hearing = settings.stt_model
    return DEFAULT if hearing is None else source_text(hearing.source or hearing.type or DEFAULT)


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
