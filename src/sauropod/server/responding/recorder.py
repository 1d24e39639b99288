"""Recorder: what is kept of a response while it is written, and at its end."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import anyio
import attrs

from sauropod.server.responding.history import kept
from sauropod.server.store import Item, LoggedEvent, ResponseRecord, Store, StoreError
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.responses.items import plain
from sauropod.server.wire.responses.response import Response

__all__ = ["Recorder"]

_log = logging.getLogger("sauropod.server")

PAUSE = 0.25
"""Seconds between two writings of the log: so much of a stream may be lost when the server is killed."""


@attrs.define(eq=False)
class Recorder:
    """Writes one response into the store.

    With `logged` off only its end is kept, and not how it came about: nobody is told of it before its end, so nobody
    can ask for it.
    """

    store: Store
    logged: bool
    begun: bool = False
    """Whether the store knows of it already, and of its first `known` events."""
    known: int = 0
    _unbegun: tuple[ResponseRecord, list[Item]] | None = None
    """What is kept together with its end."""
    _events: list[LoggedEvent] = attrs.field(factory=list)
    """Those the store does not have yet."""
    _count: int = 0

    async def begin(
        self, response: Response, items: Sequence[dict[str, Any]], request: bytes, expires: int | None
    ) -> None:
        """It exists. Once this returns, it survives, if anybody is to be told of it."""
        if self.begun:
            return
        name = response.conversation
        record = ResponseRecord(
            id=response.id,
            created_at=response.created_at,
            status=response.status,
            model=response.model,
            previous_response_id=response.previous_response_id,
            conversation_id=name.id if name else None,
            background=response.background,
            expires_at=expires,
            request=request,
            response=encoded(response),
        )
        if self.logged:
            await self.store.begin(record, kept(items))
        else:
            self._unbegun = (record, kept(items))

    def note(self, events: Sequence[bytes]) -> None:
        """What was told, to be logged soon."""
        numbered = [LoggedEvent(self._count + at, event) for at, event in enumerate(events)]
        self._count += len(events)
        if self.logged:
            self._events += [event for event in numbered if event.sequence >= self.known]

    async def keep_logging(self, response: Response) -> None:
        """Until it is cancelled. What cannot be kept now is tried again with the next."""
        while True:
            await anyio.sleep(PAUSE)
            try:
                await self.keep(response)
            except StoreError as error:
                _log.error("%s goes on, though what it says cannot be kept: %s", response.id, error)

    async def keep(self, response: Response) -> None:
        """What was told so far. Once this returns, it survives."""
        if not self.logged or not self._events:
            return
        events, self._events = self._events, []
        try:
            await self.store.log(response.id, events, status=response.status)
        except StoreError:
            self._events = [*events, *self._events]
            raise

    async def finish(self, response: Response) -> None:
        """It is as it will stay. Once this returns, that survives."""
        name = response.conversation
        await self.store.finish(
            response.id,
            status=response.status,
            completed_at=response.completed_at,
            response=encoded(response),
            output_items=kept([plain(item) for item in response.output]),
            events=self._events,
            conversation_id=name.id if name and response.status in ("completed", "incomplete") else None,
            begun=self._unbegun,
        )

    async def forget(self, response_id: str) -> None:
        """It never was."""
        if self._unbegun is None:
            await self.store.delete_response(response_id)
