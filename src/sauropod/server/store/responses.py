"""Responses: what is kept of them, and how they follow one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import attrs
from sqlalchemy import and_, delete, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.conversations import append
from sauropod.server.store.errors import MissingRecord, UnfinishedRecord
from sauropod.server.store.pages import page_of
from sauropod.server.store.records import Item, LoggedEvent, Page, ResponseRecord
from sauropod.server.store.tables import conversation_items, response_events, response_items, responses

__all__ = [
    "begin",
    "chain",
    "events",
    "finish",
    "get",
    "input_items",
    "input_page",
    "item",
    "log",
    "record_of",
    "remove",
]

FIELDS = tuple(field.name for field in attrs.fields(ResponseRecord))
DEEPEST = 1_000_000


def record_of(row: Any) -> ResponseRecord:
    """From a row of its table."""
    return ResponseRecord(**{name: row[name] for name in FIELDS})


async def begin(c: AsyncConnection, owner: str, record: ResponseRecord, items: Sequence[Item]) -> None:
    await c.execute(insert(responses), [{name: getattr(record, name) for name in FIELDS} | {"owner": owner}])
    await _add_items(c, record.id, False, items)


async def log(c: AsyncConnection, owner: str, id: str, told: Sequence[LoggedEvent], status: str | None = None) -> None:
    """Events of a response that is there; those of one that was deleted or taken over meanwhile go nowhere."""
    if not await _there(c, owner, id):
        return
    if status is not None:
        await c.execute(update(responses).where(responses.c.id == id).values(status=status))
    if told:
        rows = [{"response_id": id, "sequence": each.sequence, "payload": each.payload} for each in told]
        await c.execute(insert(response_events), rows)


async def finish(
    c: AsyncConnection,
    owner: str,
    id: str,
    *,
    status: str,
    completed_at: int | None,
    response: bytes,
    output: Sequence[Item],
    told: Sequence[LoggedEvent],
    conversation_id: str | None,
) -> None:
    """Its end, and what it adds to a conversation, if that is still there.

    Nothing if it was deleted, or taken over, meanwhile.
    """
    if not await _there(c, owner, id):
        return
    values = {"status": status, "completed_at": completed_at, "response": response}
    await c.execute(update(responses).where(responses.c.id == id).values(values))
    await _add_items(c, id, True, output)
    await log(c, owner, id, told)
    if conversation_id is not None:
        await append(c, conversation_id, [*await input_items(c, id), *output], twice=True)


async def get(c: AsyncConnection, id: str) -> ResponseRecord | None:
    row = (await c.execute(select(responses).where(responses.c.id == id))).mappings().first()
    return None if row is None else record_of(row)


async def events(c: AsyncConnection, id: str, after: int) -> list[LoggedEvent]:
    """What was told after that one, in order."""
    t = response_events.c
    wanted = select(t.sequence, t.payload).where(t.response_id == id, t.sequence > after).order_by(t.sequence)
    return [LoggedEvent(sequence, payload) for sequence, payload in await c.execute(wanted)]


async def remove(c: AsyncConnection, id: str) -> bool:
    """Whether it was there. Its items and events go with it."""
    return bool((await c.execute(delete(responses).where(responses.c.id == id))).rowcount)


async def input_items(c: AsyncConnection, id: str) -> list[Item]:
    """All, in order."""
    t = response_items.c
    wanted = select(t.id, t.payload).where(t.response_id == id, t.output.is_(False)).order_by(t.position)
    return [Item(*row) for row in await c.execute(wanted)]


async def input_page(c: AsyncConnection, id: str, after: str | None, limit: int, order: Literal["asc", "desc"]) -> Page:
    t = response_items.c
    return await page_of(c, response_items, and_(t.response_id == id, t.output.is_(False)), after, limit, order)


async def chain(c: AsyncConnection, id: str) -> list[Item]:
    """What was said up to the end of that response, oldest first, whatever the depth.

    Raises `MissingRecord` with the id of the first that is not there or has failed, going back, and `UnfinishedRecord`
    for one that is being written.
    """
    r, t = responses.c, response_items.c
    columns = (r.id, r.status, r.previous_response_id)
    back = select(*columns, literal(0).label("depth")).where(r.id == id).cte("back", recursive=True)
    further = select(*columns, back.c.depth + 1).where(r.id == back.c.previous_response_id, back.c.depth < DEEPEST)
    back = back.union_all(further)
    wanted = (
        select(back.c.id, back.c.status, back.c.previous_response_id, t.id, t.payload)
        .outerjoin_from(back, response_items, t.response_id == back.c.id)
        .order_by(back.c.depth.desc(), t.output, t.position)
    )
    rows = (await c.execute(wanted)).all()
    if not rows:
        raise MissingRecord(id)
    for name, status, _, _, _ in reversed(rows):
        if status == "failed":
            raise MissingRecord(name)
        if status in ("queued", "in_progress"):
            raise UnfinishedRecord(name)
    if rows[0][2] is not None:
        raise MissingRecord(rows[0][2])
    return [Item(name, payload) for _, _, _, name, payload in rows if name is not None]


async def item(c: AsyncConnection, id: str) -> Item | None:
    """Wherever it is kept."""
    for table in (response_items, conversation_items):
        row = (await c.execute(select(table.c.id, table.c.payload).where(table.c.id == id).limit(1))).first()
        if row is not None:
            return Item(*row)
    return None


async def _there(c: AsyncConnection, owner: str, id: str) -> bool:
    mine = select(responses.c.id).where(responses.c.id == id, responses.c.owner == owner)
    return (await c.execute(mine.with_for_update())).first() is not None


async def _add_items(c: AsyncConnection, id: str, output: bool, items: Sequence[Item]) -> None:
    rows = [
        {"response_id": id, "output": output, "position": position, "id": each.id, "payload": each.payload}
        for position, each in enumerate(items)
    ]
    if rows:
        await c.execute(insert(response_items), rows)
