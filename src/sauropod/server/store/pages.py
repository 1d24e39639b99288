"""Pages: parts of long lists of items."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import ColumnElement, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.errors import MissingRecord
from sauropod.server.store.records import Item, Page

__all__ = ["page_of"]


async def page_of(
    c: AsyncConnection,
    table: Table,
    those: ColumnElement[bool],
    after: str | None,
    limit: int,
    order: Literal["asc", "desc"],
) -> Page:
    """Some of a list of items. Raises `MissingRecord` if there is none to go on after."""
    wanted = select(table.c.id, table.c.payload).where(those)
    place = table.c.position
    if after is not None:
        mark = (await c.execute(select(place).where(those, table.c.id == after).limit(1))).scalar()
        if mark is None:
            raise MissingRecord(after)
        wanted = wanted.where(place > mark if order == "asc" else place < mark)
    wanted = wanted.order_by(place if order == "asc" else place.desc()).limit(limit + 1)
    found = [Item(*row) for row in await c.execute(wanted)]
    return Page(found[:limit], len(found) > limit)
