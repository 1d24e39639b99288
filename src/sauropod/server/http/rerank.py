"""/v1/rerank"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod.server.http.calls import answer, body_of, server_of, unless_gone
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.rerank import CreateRerank, Reranked, RerankUsage, ranked, read_rerank

__all__ = ["routes"]


async def rerank(request: Request) -> Response:
    """POST /v1/rerank"""
    server, asked = server_of(request), read_rerank(await body_of(request))
    texts = asked.texts
    return answer(await unless_gone(request, lambda: _reranked(server, asked, texts)))


routes = [Route("/v1/rerank", rerank, methods=["POST"])]


# -- inside --------------------------------------------------------------------------------------------------------


async def _reranked(server: Server, asked: CreateRerank, texts: list[str]) -> Reranked:
    async with server.catalog.use(asked.model) as served:
        if served.engine.info.pooling != "rank":
            raise invalid(
                f"The model {served.name!r} is no reranker. Name a model that compares a query with documents.",
                "model",
                "unsupported_model",
            )
        pairs = [(asked.query, text) for text in texts]
        count = await served.engine.count_embedded(pairs)
        scores = await served.engine.embed(pairs)
        results = ranked(asked, texts, scores.tolist())
        return Reranked(server.new_id("rerank"), served.name, results, RerankUsage(count, count))
