"""Owners: which of the servers that use a database live, and which left something behind."""

from __future__ import annotations

import os
import platform
import time

import attrs
import psutil
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.records import ResponseRecord
from sauropod.server.store.responses import record_of
from sauropod.server.store.tables import responses, servers

__all__ = ["LEASE", "Owner"]

LEASE = 60.0
"""Seconds after which a server on another machine, or in another container, is gone if it was not heard of."""

UNFINISHED = ("queued", "in_progress")

_here: set[str] = set()
"""Those of this process."""


@attrs.frozen
class Owner:
    """One opening of a database. What it works on, no other may take over while it lives."""

    id: str
    host: str = attrs.field(factory=platform.node)
    pid: int = attrs.field(factory=os.getpid)

    async def arrive(self, c: AsyncConnection) -> None:
        _here.add(self.id)
        row = {"id": self.id, "host": self.host, "pid": self.pid, "started_at": _started(self.pid)}
        await c.execute(insert(servers), [row | {"seen_at": time.time()}])

    async def beat(self, c: AsyncConnection) -> None:
        """It lives."""
        await c.execute(update(servers).where(servers.c.id == self.id).values(seen_at=time.time()))

    async def leave(self, c: AsyncConnection) -> None:
        """What it leaves unfinished is free from now on."""
        _here.discard(self.id)
        left = select(responses.c.id).where(responses.c.owner == self.id, responses.c.status.in_(UNFINISHED))
        if (await c.execute(left.limit(1))).first() is None:
            await c.execute(delete(servers).where(servers.c.id == self.id))

    async def claim(self, c: AsyncConnection) -> list[ResponseRecord]:
        """Take what dead ones left unfinished, oldest first. Nobody else gets the same."""
        everyone = (await c.execute(select(servers).with_for_update(skip_locked=True))).mappings().all()
        dead = [row["id"] for row in everyone if row["id"] != self.id and not self._lives(**row)]
        if not dead:
            return []
        taken = (
            update(responses)
            .where(responses.c.owner.in_(dead), responses.c.status.in_(UNFINISHED))
            .values(owner=self.id)
            .returning(*responses.c)
        )
        rows = (await c.execute(taken)).mappings().all()
        await c.execute(delete(servers).where(servers.c.id.in_(dead)))
        return sorted(map(record_of, rows), key=lambda record: (record.created_at, record.id))

    def _lives(self, *, id: str, host: str, pid: int, started_at: float, seen_at: float) -> bool:
        if host != self.host:
            return time.time() - seen_at < LEASE
        if pid == self.pid:
            return id in _here
        return abs(_started(pid) - started_at) < 2.0


def _started(pid: int) -> float:
    """When a process began, so that another of the same number is not taken for it; 0 if there is none."""
    try:
        process = psutil.Process(pid)
        # One that is dead and that nobody has asked about does nothing any more.
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except psutil.Error:
        return 0.0
