"""/v1/models"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod.server.catalog import ModelEntry
from sauropod.server.http.calls import answer, server_of
from sauropod.server.problems import Problem
from sauropod.server.wire.models import Model, ModelDeleted, Models

__all__ = ["routes"]


async def list_models(request: Request) -> Response:
    """GET /v1/models"""
    return answer(Models([_model(entry) for entry in server_of(request).catalog.entries.values()]))


async def retrieve(request: Request) -> Response:
    """GET /v1/models/{name}: by its name or another it goes by."""
    return answer(_model(server_of(request).catalog.entry(request.path_params["name"])))


async def delete(request: Request) -> Response:
    """DELETE /v1/models/{name}: out of memory. Its files stay, and it is loaded again when it is asked for."""
    catalog = server_of(request).catalog
    if not request.path_params["name"]:
        raise Problem(404, "Name the model that is to be taken out of memory.", code="model_not_found", param="model")
    entry = catalog.entry(request.path_params["name"])
    if not await catalog.unload(entry.name):
        raise Problem(
            409,
            f"The model {entry.name!r} is in use. It can be taken out of memory when nothing is asked of it.",
            code="model_in_use",
            param="model",
            retry=False,
        )
    return answer(ModelDeleted(entry.name))


routes = [
    Route("/v1/models", list_models, methods=["GET"]),
    Route("/v1/models/", list_models, methods=["GET"]),
    Route("/v1/models/{name:path}", retrieve, methods=["GET"]),
    Route("/v1/models/{name:path}", delete, methods=["DELETE"]),
]


def _model(entry: ModelEntry) -> Model:
    return Model(entry.name, entry.created)
