"""/health, /health/live, /health/ready: whether the server is there, and whether it can work."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod.server.http.calls import answer, server_of
from sauropod.server.store import StoreError

__all__ = ["routes"]


async def live(request: Request) -> Response:
    """GET /health/live: the process runs."""
    return answer({"status": "ok"})


async def ready(request: Request) -> Response:
    """GET /health and /health/ready: it takes requests, and can keep what it makes."""
    server = server_of(request)
    models = {name: server.catalog.opened(name) is not None for name in server.catalog.entries}
    reason = "draining" if server.draining else "loading" if server.loading else await _stored(request)
    status = {"status": reason or "ok", "models": [{"id": name, "loaded": loaded} for name, loaded in models.items()]}
    return answer(status, 503 if reason else 200)


async def _stored(request: Request) -> str | None:
    try:
        await server_of(request).store.ping()
    except StoreError as error:
        return str(error)
    return None


routes = [
    Route("/health", ready, methods=["GET"]),
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
