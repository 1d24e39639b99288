"""Files: kept in pieces, so that none is in memory as a whole."""

from __future__ import annotations

from typing import Any, Literal

import attrs
from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.errors import MissingRecord
from sauropod.server.store.records import FilePage, FileRecord
from sauropod.server.store.tables import file_chunks, files

__all__ = ["add_chunk", "begin", "chunk", "complete", "get", "hide", "page", "remove", "remove_some"]

FIELDS = tuple(field.name for field in attrs.fields(FileRecord))
AT_ONCE = 8
COLUMNS = tuple(files.c[name] for name in FIELDS)


async def begin(c: AsyncConnection, record: FileRecord) -> None:
    """Nobody sees it before it is whole."""
    await c.execute(insert(files), [attrs.asdict(record) | {"whole": False}])


async def add_chunk(c: AsyncConnection, id: str, position: int, payload: bytes) -> None:
    await c.execute(insert(file_chunks), [{"file_id": id, "position": position, "payload": payload}])


async def complete(c: AsyncConnection, id: str, size: int) -> None:
    await c.execute(update(files).where(files.c.id == id).values(whole=True, bytes=size))


async def get(c: AsyncConnection, id: str) -> FileRecord | None:
    row = (await c.execute(select(*COLUMNS).where(files.c.id == id, files.c.whole))).mappings().first()
    return None if row is None else _record(row)


async def chunk(c: AsyncConnection, id: str, position: int) -> bytes | None:
    t = file_chunks.c
    found = await c.execute(select(t.payload).where(t.file_id == id, t.position == position))
    payload: bytes | None = found.scalar()
    return payload


async def page(
    c: AsyncConnection, after: str | None, limit: int, order: Literal["asc", "desc"], purpose: str | None
) -> FilePage:
    """By age. Raises `MissingRecord` if there is none to go on after."""
    t, wanted = files.c, select(*COLUMNS).where(files.c.whole)
    if purpose is not None:
        wanted = wanted.where(t.purpose == purpose)
    if after is not None:
        mark = await get(c, after)
        if mark is None:
            raise MissingRecord(after)
        at, then = mark.created_at, t.created_at
        if order == "asc":
            wanted = wanted.where(or_(then > at, and_(then == at, t.id > mark.id)))
        else:
            wanted = wanted.where(or_(then < at, and_(then == at, t.id < mark.id)))
    places = (t.created_at, t.id) if order == "asc" else (t.created_at.desc(), t.id.desc())
    rows = (await c.execute(wanted.order_by(*places).limit(limit + 1))).mappings().all()
    return FilePage([_record(row) for row in rows[:limit]], len(rows) > limit)


async def hide(c: AsyncConnection, id: str) -> bool:
    """Nobody sees it any more. Whether anybody did."""
    hidden = update(files).where(files.c.id == id, files.c.whole).values(whole=False)
    return bool((await c.execute(hidden)).rowcount)


async def remove_some(c: AsyncConnection, id: str) -> bool:
    """Some of its last pieces. Whether there were any."""
    t = file_chunks.c
    wanted = select(t.position).where(t.file_id == id).order_by(t.position.desc()).limit(AT_ONCE)
    if not (positions := (await c.execute(wanted)).scalars().all()):
        return False
    await c.execute(delete(file_chunks).where(t.file_id == id, t.position.in_(positions)))
    return True


async def remove(c: AsyncConnection, id: str) -> bool:
    """Whether it was there."""
    return bool((await c.execute(delete(files).where(files.c.id == id))).rowcount)


def _record(row: Any) -> FileRecord:
    return FileRecord(**{name: row[name] for name in FIELDS})
