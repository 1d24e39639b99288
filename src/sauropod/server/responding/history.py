"""History: what was said before a response, wherever that is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import msgspec

from sauropod.server.problems import Problem, invalid, missing
from sauropod.server.responding.memory import Memory
from sauropod.server.store import Item as Kept
from sauropod.server.store import MissingRecord, Store

__all__ = ["History", "kept", "told_apart", "unknown_response"]

Item = dict[str, Any]


def kept(items: Sequence[Item]) -> list[Kept]:
    """Items as the store takes them."""
    return [Kept(item["id"], msgspec.json.encode(item)) for item in items]


def unknown_response(response_id: str) -> Problem:
    """A response to go on from is not there."""
    return invalid(
        f"Previous response with id '{response_id}' not found. It was not stored, was deleted, or has failed.",
        "previous_response_id",
        "previous_response_not_found",
    )


def told_apart(items: Sequence[Item], before: Sequence[Item], new_id: Callable[[str], str]) -> list[Item]:
    """Items that get a new id where another one has theirs: a conversation knows each by its id."""
    known = {item["id"]: item for item in before}
    found = []
    for item in items:
        if known.get(item["id"], item) != item:
            item = {**item, "id": new_id(item["id"].partition("_")[0] or "item")}
        known[item["id"]] = item
        found.append(item)
    return found


@attrs.frozen
class History:
    """Where to look."""

    store: Store
    memory: Memory | None = None

    async def before(self, previous: str | None, conversation: str | None) -> list[Item]:
        """All items, oldest first. Raises `Problem`."""
        if previous is not None:
            return await self._chain(previous)
        if conversation is None:
            return []
        if await self.store.conversation(conversation) is None:
            raise missing(f"Conversation with id '{conversation}' not found.", "conversation_not_found", "conversation")
        return _read(await self.store.all_conversation_items(conversation))

    async def resolved(self, items: Sequence[Item], before: Sequence[Item]) -> list[Item]:
        """The items, with what references refer to in their place. Raises `Problem`."""
        near = {item["id"]: item for item in (*before, *items) if item["type"] != "item_reference"}
        return [await self._referred(item, near) if item["type"] == "item_reference" else item for item in items]

    async def _chain(self, previous: str) -> list[Item]:
        if self.memory is not None and (found := self.memory.recall(previous)) is not None:
            return list(found)
        try:
            return _read(await self.store.chain(previous))
        except MissingRecord as error:
            raise unknown_response(error.id) from None

    async def _referred(self, item: Item, near: dict[str, Item]) -> Item:
        if item["id"] in near:
            return near[item["id"]]
        found = await self.store.item(item["id"])
        if found is None:
            raise invalid(f"Item with id '{item['id']}' not found.", "input", "item_not_found")
        referred: Item = msgspec.json.decode(found.payload)
        return referred


def _read(items: Sequence[Kept]) -> list[Item]:
    return [msgspec.json.decode(item.payload) for item in items]
