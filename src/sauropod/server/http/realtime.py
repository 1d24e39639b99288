"""/v1/realtime: conversations over a WebSocket, and keys for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from sauropod.server.http.calls import answer, body_of, server_of
from sauropod.server.http.conversing import Conversing
from sauropod.server.http.guard import key_of, subprotocols_of
from sauropod.server.problems import Problem, invalid, missing
from sauropod.server.serving import Server
from sauropod.server.wire.realtime.patching import patched, type_of
from sauropod.server.wire.realtime.secrets import ClientSecret, read_secret
from sauropod.server.wire.realtime.session import (
    AnySession,
    Audio,
    InputOnly,
    Output,
    RealtimeSession,
    TranscriptionSession,
)

__all__ = ["routes"]

SUBPROTOCOL, BETA_SUBPROTOCOL, BETA = "realtime", "openai-beta.realtime-v1", "realtime=v1"


async def connect(socket: WebSocket) -> None:
    """WS /v1/realtime"""
    server: Server = socket.app.state.server
    session = _asked_for(socket, server)
    offered = subprotocols_of(socket.headers)
    beta = BETA in socket.headers.get("openai-beta", "") or BETA_SUBPROTOCOL in offered
    await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
    await Conversing(socket, server, session, beta=beta).run()


async def create_secret(request: Request) -> Response:
    """POST /v1/realtime/client_secrets"""
    server, asked = server_of(request), read_secret(await body_of(request))
    patch = asked.session or {}
    session = _session(server, type_of(patch), patch.get("model"), patch)
    key = server.ephemeral.make(patch, asked.seconds)
    told = msgspec.structs.replace(session, expires_at=key.expires_at)
    return answer(ClientSecret(value=key.value, expires_at=key.expires_at, session=told))


routes = [
    WebSocketRoute("/v1/realtime", connect),
    Route("/v1/realtime/client_secrets", create_secret, methods=["POST"]),
]


# -- inside --------------------------------------------------------------------------------------------------------


def _asked_for(socket: WebSocket, server: Server) -> AnySession:
    """The session as it begins. Raises `Problem`: before the connection is taken, so the client gets a status."""
    query = socket.query_params
    if server.draining:
        raise Problem(503, "The server is about to stop.", "server_error", "server_stopping", retry=1.0)
    if "call_id" in query:
        raise missing("There are no calls here: WebRTC and SIP are not served. Connect with ?model= instead.")
    if (intent := query.get("intent")) not in (None, "transcription", "conversation"):
        raise invalid(f"'intent' is 'transcription' or left out; got {intent!r}.", "intent", "invalid_value")
    key = server.ephemeral.find(key_of(socket.headers))
    patch: Mapping[str, Any] = {} if key is None else key.session
    kind = "transcription" if intent == "transcription" else type_of(patch)
    model, bound = query.get("model"), patch.get("model")
    if model and bound and model != bound:
        raise invalid(f"This key is for the model {bound!r}. Leave 'model' out.", "model", "invalid_value")
    return _session(server, kind, bound or model, patch)


def _session(server: Server, kind: str, model: Any, patch: Mapping[str, Any]) -> AnySession:
    """Raises `Problem`."""
    id = server.new_id("sess")
    if model is not None and not isinstance(model, str):
        raise invalid("'session.model' is a text.", "session.model", "invalid_type")
    if kind == "transcription":
        return patched(TranscriptionSession(id=id, audio=InputOnly.by(model or server.ears.name)), patch)
    entry, voice = server.catalog.entry(model), _default_voice(server)
    session = RealtimeSession(
        id=id,
        model=model or entry.name,
        output_modalities=["text"] if voice is None else ["audio"],
        audio=Audio(output=Output(voice=voice)),
    )
    return patched(session, patch)


def _default_voice(server: Server) -> str | None:
    """None where nothing speaks: then sessions write."""
    try:
        return server.voices.named(None, None)
    except Problem:
        return None
