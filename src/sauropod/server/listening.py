"""Listening: the server on a socket, from its first log line to its last."""

from __future__ import annotations

import logging
import socket
import time
from types import FrameType

import anyio
import uvicorn
from starlette.applications import Starlette

from sauropod.errors import SauropodError
from sauropod.server.app import create_app
from sauropod.server.config import Settings
from sauropod.server.http.protocol import protocol

__all__ = ["AddressTaken", "configuration", "serve"]

_log = logging.getLogger("sauropod.server")


class AddressTaken(SauropodError, OSError):
    """Somebody else listens there, or nobody may."""

    def __str__(self) -> str:
        return str(self.args[0])


class _Uvicorn(uvicorn.Server):
    """Tells the application when it is to end, and says when it has begun."""

    def __init__(self, config: uvicorn.Config, app: Starlette, url: str, began: float) -> None:
        super().__init__(config)
        self._app, self._url, self._began = app, url, began

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            _log.info(
                "Ready after %.1f s: %s (the API's pages: %s/docs)", time.monotonic() - self._began, *[self._url] * 2
            )

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more connections, let what is being written end, and then close those that there are."""
        for server in self.servers:
            server.close()
        with anyio.move_on_after(self._grace or 0):
            while self._busy and not self.force_exit:
                await anyio.sleep(0.05)
        await super().shutdown(sockets)

    @property
    def _busy(self) -> bool:
        """Whether something is being written or said."""
        responder, server = (getattr(self._app.state, name, None) for name in ("responder", "server"))
        return responder is not None and server is not None and bool(responder.busy or server.conversing)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        server = getattr(self._app.state, "server", None)
        if server is not None and not server.draining:
            server.draining = True
            _log.info("Asked to stop. What is being written has %s s to end; once more stops at once.", self._grace)
        # Uvicorn's own would in the end die of the signal, as if nobody had heard it.
        self.force_exit = self.should_exit
        self.should_exit = True

    @property
    def _grace(self) -> int | None:
        return self.config.timeout_graceful_shutdown


def serve(settings: Settings) -> None:
    """Serve until the process is told to stop. Raises `AddressTaken`, and what opening the store raises."""
    began = time.monotonic()
    listener = _bound(settings.host, settings.port)
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}{settings.root_path}"
    for line in settings.told():
        _log.info("%s", line)
    app = create_app(settings)
    config = configuration(app, settings)
    _Uvicorn(config, app, url, began).run([listener])
    _log.info("Stopped.")


def configuration(app: Starlette, settings: Settings) -> uvicorn.Config:
    """How uvicorn serves it."""
    limits = settings.limits
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=settings.verbose,
        server_header=False,
        http=protocol(limits.header_bytes, limits.slow_client_seconds),
        ws="websockets-sansio",
        ws_max_size=limits.body_bytes,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=int(limits.drain_seconds),
        root_path=settings.root_path,
        lifespan="on",
    )


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # As TCP by name: only so asyncio turns Nagle's algorithm off, which holds small answers back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressTaken(
            f"Cannot listen on {host}:{port}: {error.strerror or error}. Choose another with --port, or --port 0 for "
            "any that is free."
        ) from error
    return listener
