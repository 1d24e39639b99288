"""Expiring: what is no longer to be kept goes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.tables import files, responses

__all__ = ["expire", "files_over"]

ABANDONED = 24 * 3600
"""Seconds after which an upload that did not end is thrown away."""

ENDED = responses.c.status.not_in(("queued", "in_progress"))


async def files_over(c: AsyncConnection, now: int) -> Sequence[str]:
    """Files whose time is over, and uploads that did not end."""
    unfinished = and_(files.c.whole.is_(False), files.c.created_at <= now - ABANDONED)
    return (await c.execute(select(files.c.id).where(or_(files.c.expires_at <= now, unfinished)))).scalars().all()


async def expire(c: AsyncConnection, now: int, keep_at_most: int | None) -> int:
    """Responses whose time is over, and the oldest of too many. How many went."""
    over = responses.c.expires_at <= now
    gone = (await c.execute(delete(responses).where(over, ENDED))).rowcount
    if keep_at_most is not None:
        newest = (responses.c.created_at.desc(), responses.c.id.desc())
        surplus = select(responses.c.id).where(ENDED).order_by(*newest).offset(keep_at_most)
        if rows := (await c.execute(surplus)).scalars().all():
            for at in range(0, len(rows), 500):
                await c.execute(delete(responses).where(responses.c.id.in_(rows[at : at + 500])))
            gone += len(rows)
    return gone
