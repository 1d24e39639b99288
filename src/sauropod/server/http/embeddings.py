"""/v1/embeddings"""

from __future__ import annotations

import anyio.lowlevel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod import Engine
from sauropod.errors import UnsupportedInput
from sauropod.server.catalog import Served
from sauropod.server.http.calls import answer, body_of, server_of, unless_gone
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.completions.prompts import Given, prompts_of
from sauropod.server.wire.decoding import decoded
from sauropod.server.wire.embeddings import (
    CreateEmbedding,
    Embedding,
    Embeddings,
    EmbeddingUsage,
    embedding_of,
    shortened,
)

__all__ = ["routes"]


async def embeddings(request: Request) -> Response:
    """POST /v1/embeddings"""
    server, asked = server_of(request), decoded(CreateEmbedding, await body_of(request))
    given = prompts_of(asked.input, "input")
    return answer(await unless_gone(request, lambda: _embedded(server, asked, given)))


routes = [Route("/v1/embeddings", embeddings, methods=["POST"])]


# -- inside --------------------------------------------------------------------------------------------------------


async def _embedded(server: Server, asked: CreateEmbedding, given: list[Given]) -> Embeddings:
    async with server.catalog.use(asked.model) as served:
        _require_embeds(served)
        texts = [await _text(served.engine, each) for each in given]
        count = await served.engine.count_embedded(texts)
        vectors = shortened(await served.engine.embed(texts), asked.dimensions)
        data: list[Embedding] = []
        for index, vector in enumerate(vectors):
            data.append(embedding_of(index, vector, asked.encoding_format == "base64"))
            await anyio.lowlevel.checkpoint()  # thousands of vectors take a while to write
        return Embeddings(data, served.name, EmbeddingUsage(count, count))


def _require_embeds(served: Served) -> None:
    info = served.engine.info
    if info.pooling == "rank":
        raise invalid(
            f"The model {served.name!r} compares texts. Use it with /v1/rerank.", "model", "unsupported_model"
        )
    if not info.embeds:
        raise invalid(
            f"The model {served.name!r} gives no embeddings. Name an embedding model.", "model", "unsupported_model"
        )


async def _text(engine: Engine, given: Given) -> str:
    """Tokens are those of the model, and become the text they stand for."""
    if isinstance(given, str):
        return given
    try:
        return await engine.detokenize(given)
    except UnsupportedInput as error:
        raise invalid(
            f"{error} Send texts, or the ids that /tokenize gives; LangChain sends OpenAI's, unless "
            "check_embedding_ctx_length is off.",
            "input",
            "invalid_value",
        ) from error
