"""/tokenize, /detokenize"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod.server.http.calls import answer, body_of, server_of, unless_gone
from sauropod.server.serving import Server
from sauropod.server.wire.decoding import decoded
from sauropod.server.wire.tokens import Content, Detokenize, Tokenize, Tokens

__all__ = ["routes"]


async def tokenize(request: Request) -> Response:
    """POST /tokenize"""
    server, asked = server_of(request), decoded(Tokenize, await body_of(request))
    text = asked.text
    return answer(await unless_gone(request, lambda: _tokens(server, asked, text)))


async def detokenize(request: Request) -> Response:
    """POST /detokenize"""
    server, asked = server_of(request), decoded(Detokenize, await body_of(request))
    return answer(await unless_gone(request, lambda: _content(server, asked)))


routes = [
    Route("/tokenize", tokenize, methods=["POST"]),
    Route("/detokenize", detokenize, methods=["POST"]),
]


# -- inside --------------------------------------------------------------------------------------------------------


async def _tokens(server: Server, asked: Tokenize, text: str) -> Tokens:
    async with server.catalog.use(asked.model) as served:
        return Tokens(await served.engine.tokenize(text, special=bool(asked.add_special)))


async def _content(server: Server, asked: Detokenize) -> Content:
    async with server.catalog.use(asked.model) as served:
        return Content(await served.engine.detokenize(asked.tokens))
