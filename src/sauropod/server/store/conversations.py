"""Conversations: items in a row, to which more is added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store.errors import DuplicateRecord
from sauropod.server.store.pages import page_of
from sauropod.server.store.records import ConversationRecord, Item, Page
from sauropod.server.store.tables import conversation_items, conversations

__all__ = ["append", "create", "get", "item", "items", "page", "remove", "remove_item", "set_metadata"]


async def create(c: AsyncConnection, record: ConversationRecord, given: Sequence[Item]) -> None:
    """Raises `DuplicateRecord`."""
    row = {"id": record.id, "created_at": record.created_at, "metadata": record.metadata}
    await c.execute(insert(conversations), [row])
    await append(c, record.id, given)


async def get(c: AsyncConnection, id: str) -> ConversationRecord | None:
    t = conversations.c
    row = (await c.execute(select(t.id, t.created_at, t.metadata).where(t.id == id))).first()
    return None if row is None else ConversationRecord(id=row[0], created_at=row[1], metadata=row[2])


async def set_metadata(c: AsyncConnection, id: str, metadata: bytes) -> bool:
    """Whether there is such a conversation."""
    changed = update(conversations).where(conversations.c.id == id).values(metadata=metadata)
    return bool((await c.execute(changed)).rowcount)


async def remove(c: AsyncConnection, id: str) -> bool:
    """Whether it was there. Its items go with it; responses that were made within it stay."""
    return bool((await c.execute(delete(conversations).where(conversations.c.id == id))).rowcount)


async def append(c: AsyncConnection, id: str, given: Sequence[Item], *, twice: bool = False) -> bool:
    """At its end; whether there is such a conversation.

    Raises `DuplicateRecord` for an item that is there already, or with `twice` leaves it where it is.
    """
    # Whoever else adds to it waits: places are given out one after the other.
    wanted = select(conversations.c.id).where(conversations.c.id == id).with_for_update()
    if (await c.execute(wanted)).first() is None:
        return False
    t = conversation_items.c
    there = set(
        (await c.execute(select(t.id).where(t.conversation_id == id, t.id.in_([each.id for each in given])))).scalars()
    )
    new: dict[str, Item] = {}
    for each in given:
        if each.id not in there and each.id not in new:
            new[each.id] = each
        elif not twice:
            raise DuplicateRecord(each.id)
    last = (await c.execute(select(func.max(t.position)).where(t.conversation_id == id))).scalar()
    first = 0 if last is None else last + 1
    rows = [
        {"conversation_id": id, "position": first + at, "id": each.id, "payload": each.payload}
        for at, each in enumerate(new.values())
    ]
    if rows:
        await c.execute(insert(conversation_items), rows)
    return True


async def items(c: AsyncConnection, id: str) -> list[Item]:
    """All, oldest first."""
    t = conversation_items.c
    wanted = select(t.id, t.payload).where(t.conversation_id == id).order_by(t.position)
    return [Item(*row) for row in await c.execute(wanted)]


async def page(c: AsyncConnection, id: str, after: str | None, limit: int, order: Literal["asc", "desc"]) -> Page:
    return await page_of(c, conversation_items, conversation_items.c.conversation_id == id, after, limit, order)


async def item(c: AsyncConnection, id: str, item_id: str) -> Item | None:
    t = conversation_items.c
    row = (await c.execute(select(t.id, t.payload).where(t.conversation_id == id, t.id == item_id))).first()
    return None if row is None else Item(*row)


async def remove_item(c: AsyncConnection, id: str, item_id: str) -> bool:
    """Whether it was there."""
    t = conversation_items.c
    gone = delete(conversation_items).where(t.conversation_id == id, t.id == item_id)
    return bool((await c.execute(gone)).rowcount)
