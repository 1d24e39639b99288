"""All routes there are."""

from __future__ import annotations

from starlette.routing import BaseRoute

from sauropod.server.http import (
    chat,
    completions,
    conversations,
    docs,
    embeddings,
    files,
    health,
    models,
    realtime,
    rerank,
    responses,
    speech,
    tokens,
    transcriptions,
    websocket,
)

__all__ = ["all_routes"]

_APIS = (
    responses,
    websocket,
    conversations,
    chat,
    completions,
    embeddings,
    rerank,
    models,
    tokens,
    speech,
    transcriptions,
    realtime,
    files,
    health,
    docs,
)


def all_routes() -> list[BaseRoute]:
    """Of every API, in the order of the documentation."""
    return [route for api in _APIS for route in api.routes]
