"""Server: what all endpoints share while it runs."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import attrs
from anyio.abc import TaskGroup

from sauropod.server.catalog import Catalog
from sauropod.server.ephemeral import EphemeralKeys
from sauropod.server.store import Store
from sauropod.server.voices import Ears, Voices

__all__ = ["Server"]


def _new_id(kind: str) -> str:
    return f"{kind}_{secrets.token_hex(16)}"


@attrs.define(eq=False)
class Server:
    """Everything that lives as long as the server does."""

    catalog: Catalog
    tasks: TaskGroup
    voices: Voices = attrs.field(kw_only=True)
    ears: Ears = attrs.field(kw_only=True)
    store: Store = attrs.field(kw_only=True)
    retention: int | None = None
    """Seconds for which responses are kept; None is for ever."""
    draining: bool = False
    """Is about to stop: what is being written is written to its end."""
    unkept: list[Callable[[], Awaitable[None]]] = attrs.field(factory=list)
    """Ends of responses that the store did not take. They are tried again."""
    loading: set[str] = attrs.field(factory=set)
    """Models that are to be there from the start, and are not yet."""
    log: logging.Logger = attrs.field(factory=lambda: logging.getLogger("sauropod.server"))
    body_limit: int = 32 * 1024 * 1024
    upload_limit: int = 512 * 1024 * 1024
    patience: float = 30.0
    """Seconds a client may take nothing of what it is sent."""
    new_id: Callable[[str], str] = _new_id
    """`new_id("resp")` is a name nobody has: `resp_…`."""
    now: Callable[[], float] = time.time
    ephemeral: EphemeralKeys = attrs.field(
        default=attrs.Factory(lambda own: EphemeralKeys(lambda: own.now()), takes_self=True)
    )
    """Keys for sessions, given out for a short time."""
    recordings: Path | None = None
    """Where sessions write down what happens in them; None is nowhere."""
    record_audio: bool = False
    conversing: set[object] = attrs.field(factory=set)
    """Clients of the Realtime API that are connected. When the server is to stop each leaves once it is answered."""

    async def keep_again(self) -> None:
        """What could not be kept before. Raises `StoreError` if it cannot be kept now either."""
        while self.unkept:
            await self.unkept[0]()
            del self.unkept[0]

    def expires_at(self, created_at: int) -> int | None:
        """When what is made then is no longer kept."""
        return None if self.retention is None else created_at + self.retention
