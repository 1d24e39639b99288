"""Guard: who may come in, and what every answer has: a request's id, and errors in OpenAI's words."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import re
import secrets
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

import attrs
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from sauropod.errors import SauropodError
from sauropod.server.ephemeral import PREFIX, EphemeralKeys
from sauropod.server.problems import Problem, problem_of

__all__ = ["Door", "Guard", "hosts_of", "key_of", "not_served", "subprotocols_of"]

_log = logging.getLogger("sauropod.server")
_ID = re.compile(r"[\w.:-]{1,128}")

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPEN_PATHS = ("/health", "/docs", "/redoc", "/openapi.json")
"""What needs no key: it says nothing that is anybody's."""
REALTIME = "/v1/realtime"
"""What an ephemeral key opens, and nothing else."""
SUBPROTOCOL = "openai-insecure-api-key."
"""How a page sends a key with a WebSocket, for which browsers let it set no header."""


@attrs.frozen
class Door:
    """Who may come in.

    `keys` are the API keys there are; without any, any header is as good as none. `hosts` are the names this server may
    be called by, None for any: a page that has its own name point to this machine is not let in. `origins` are the
    sites whose pages may ask, besides this server's own.
    """

    keys: Collection[str] = ()
    hosts: Collection[str] | None = None
    origins: Collection[str] = ()

    def check(self, path: str, headers: Headers, ephemeral: EphemeralKeys | None = None) -> None:
        """Raises `Problem`. `ephemeral` are keys that open sessions of the Realtime API for a while."""
        self._check_host(headers)
        self._check_origin(headers)
        if path == REALTIME and ephemeral is not None and self._is_ephemeral(key_of(headers), ephemeral):
            return
        if self.keys and not any(path == each or path.startswith(f"{each}/") for each in OPEN_PATHS):
            self._check_key(headers)

    def _check_host(self, headers: Headers) -> None:
        name = _host_name(headers.get("host", ""))
        if self.hosts is None or name in self.hosts or not name or _is_address(name):
            return
        raise Problem(
            403,
            f"This server is not called {name!r}. If it should be, add that to allowed_hosts.",
            "invalid_request_error",
            "host_not_allowed",
            retry=False,
        )

    def _check_origin(self, headers: Headers) -> None:
        origin = headers.get("origin")
        if origin is None or "*" in self.origins or origin in self.origins:
            return
        if _host_of(origin) == headers.get("host"):
            return
        raise Problem(
            403,
            f"Pages of {origin} may not ask this server. If they should, add that to [cors] allow_origins.",
            "invalid_request_error",
            "origin_not_allowed",
            retry=False,
        )

    def _check_key(self, headers: Headers) -> None:
        given = key_of(headers)
        if given is None:
            raise _unauthorized("No API key is given. Send it as 'Authorization: Bearer KEY'.")
        if not self._is_known(given):
            raise _unauthorized("The API key is none that is known here.")

    def _is_known(self, given: str) -> bool:
        # All are compared, as digests of one length, each in constant time: how long it takes tells nothing.
        same = [hmac.compare_digest(_digest(given), _digest(key)) for key in self.keys]
        return any(same)

    def _is_ephemeral(self, given: str | None, ephemeral: EphemeralKeys) -> bool:
        """One that is none any more opens nothing, even where no key is asked for: what it stands for is not known."""
        if given is None or not given.startswith(PREFIX) or self._is_known(given):
            return False
        if ephemeral.find(given) is None:
            raise _unauthorized(
                "The ephemeral key is not known here, or has expired. POST /v1/realtime/client_secrets makes another."
            )
        return True


@attrs.define(eq=False)
class Guard:
    """Stands before the app."""

    app: ASGIApp
    door: Door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        wanted = headers.get("x-request-id", "")
        request_id = wanted if _ID.fullmatch(wanted) else f"req_{secrets.token_hex(12)}"
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message)["x-request-id"] = request_id
            await send(message)

        try:
            self.door.check(_path(scope), headers, _ephemeral(scope))
            await self.app(scope, receive, named)
        except ClientDisconnect:
            _log.info("%s: the client left before its answer.", request_id)
        except Exception as error:
            problem = _problem(error)
            if problem.status >= 500 and not isinstance(error, SauropodError | Problem):
                _log.exception("%s: %s %s", request_id, scope.get("method", "WS"), scope["path"])
            if started:
                raise
            await _refuse(problem, scope, named)


async def not_served(request: Request, error: Exception) -> Response:
    """What a client is told of an address that is not served, or not by that method."""
    problem = _problem(error)
    headers = {"allow": _methods(request)} if problem.status == 405 else {}
    return Response(problem.body(), problem.status, {**headers, **problem.headers}, "application/json")


def _methods(request: Request) -> str:
    """All that the address takes, of whatever route."""
    there = [route for route in request.app.routes if isinstance(route, Route)]
    found = [route.methods or () for route in there if route.matches(request.scope)[0] is not Match.NONE]
    return ", ".join(sorted({method for methods in found for method in methods}))


async def _refuse(problem: Problem, scope: Scope, send: Send) -> None:
    body = problem.body()
    headers = {"content-type": "application/json", "content-length": str(len(body)), **problem.headers}
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    if scope["type"] == "websocket" and kind not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": problem.message[:120]})
        return
    await send({"type": f"{kind}.start", "status": problem.status, "headers": raw})
    await send({"type": f"{kind}.body", "body": body})


def _path(scope: Scope) -> str:
    """Without what stands before it where the application is mounted."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", "")) or "/"


def _problem(error: Exception) -> Problem:
    if isinstance(error, HTTPException):
        if error.status_code == 404:
            return Problem(404, "There is nothing at this address. /docs lists what there is.", code="unknown_url")
        return Problem(error.status_code, f"{error.detail.rstrip('.')}.")
    return problem_of(error)


def _unauthorized(message: str) -> Problem:
    return Problem(401, message, "invalid_request_error", "invalid_api_key", retry=False)


def key_of(headers: Headers) -> str | None:
    """The key that a client shows, as a header or as a WebSocket's subprotocol."""
    scheme, _, key = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and key:
        return key.strip()
    offered = [name for name in subprotocols_of(headers) if name.startswith(SUBPROTOCOL)]
    return headers.get("x-api-key") or (offered[0].removeprefix(SUBPROTOCOL) if offered else None)


def subprotocols_of(headers: Headers) -> list[str]:
    """What a WebSocket's client offers to speak."""
    return [name.strip() for each in headers.getlist("sec-websocket-protocol") for name in each.split(",")]


def _ephemeral(scope: Scope) -> EphemeralKeys | None:
    server = getattr(scope["app"].state, "server", None) if "app" in scope else None
    return None if server is None else server.ephemeral


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()


def _host_name(host: str) -> str:
    """Without the port: `localhost:8080`, `[::1]:8080`."""
    try:
        return (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return host


def _host_of(origin: str) -> str | None:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return None


def _is_address(name: str) -> bool:
    """Nobody can make an address point elsewhere, as one can a name."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def hosts_of(host: str, more: Sequence[str]) -> frozenset[str]:
    """The names a server that listens there may be called by."""
    return frozenset({*LOOPBACK, host, *more})
