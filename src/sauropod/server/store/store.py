"""Store: responses, conversations and files, as durable as the database they are in."""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Literal

import anyio
import attrs
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store import conversations, expiring, files, responses
from sauropod.server.store.database import Database
from sauropod.server.store.errors import StoreError
from sauropod.server.store.owners import LEASE, Owner
from sauropod.server.store.places import database_url, shown
from sauropod.server.store.records import (
    ConversationRecord,
    FilePage,
    FileRecord,
    Item,
    LoggedEvent,
    Page,
    ResponseRecord,
)

__all__ = ["Store"]

Order = Literal["asc", "desc"]

_log = logging.getLogger("sauropod.server")


@attrs.define(eq=False)
class Store:
    """All that is kept. What a method writes is durable when it returns, as a whole or not at all.

    Every method raises `StoreError` if the database fails.
    """

    _db: Database
    _owner: Owner

    @classmethod
    @asynccontextmanager
    async def open(cls, where: str) -> AsyncIterator[Store]:
        """The database at a path, or of a URL; `:memory:` keeps nothing. It is made, or brought up to date, if need be.

        Raises `StoreError`.
        """
        database = await Database.open(database_url(where))
        store = cls(database, Owner(secrets.token_hex(8)))
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(database.writer.run)
                try:
                    await database.write(store._owner.arrive)
                    async with anyio.create_task_group() as beside:
                        beside.start_soon(store._keep_beating)
                        try:
                            yield store
                        finally:
                            beside.cancel_scope.cancel()
                            with anyio.CancelScope(shield=True):
                                await store._leave()
                finally:
                    database.writer.close()
        except BaseExceptionGroup as errors:
            ours, others = errors.split(StoreError)
            if ours is None or others is not None:
                raise
            raise _first(ours) from None
        finally:
            with anyio.CancelScope(shield=True):
                await database.close()

    @property
    def where(self) -> str:
        """For a log: a path, or a URL without its password."""
        return shown(self._db.url)

    # -- responses -------------------------------------------------------------------------------------------------

    async def begin(self, record: ResponseRecord, items: Sequence[Item]) -> None:
        """A response exists, with its input."""
        await self._db.write(lambda c: responses.begin(c, self._owner.id, record, items))

    async def log(self, id: str, events: Sequence[LoggedEvent], status: str | None = None) -> None:
        """More of its stream was told, and it is at `status`.

        Goes nowhere if it was deleted, or is another server's.
        """
        await self._db.write(lambda c: responses.log(c, self._owner.id, id, events, status))

    async def finish(
        self,
        id: str,
        *,
        status: str,
        completed_at: int | None,
        response: bytes,
        output_items: Sequence[Item],
        events: Sequence[LoggedEvent],
        conversation_id: str | None,
        begun: tuple[ResponseRecord, Sequence[Item]] | None = None,
    ) -> None:
        """Its end. Its input and output are added to the conversation, if one is named and there.

        With `begun` it also begins, in the same transaction. Goes nowhere if it was deleted, or is another server's.
        """
        end = partial(responses.finish, status=status, completed_at=completed_at, response=response)

        async def do(c: AsyncConnection) -> None:
            if begun is not None:
                await responses.begin(c, self._owner.id, *begun)
            await end(c, self._owner.id, id, output=output_items, told=events, conversation_id=conversation_id)

        await self._db.write(do)

    async def response(self, id: str) -> ResponseRecord | None:
        return await self._db.read(lambda c: responses.get(c, id))

    async def events(self, id: str, after: int = -1) -> list[LoggedEvent]:
        """Those of its stream that are logged, after that one, in order."""
        return await self._db.read(lambda c: responses.events(c, id, after))

    async def delete_response(self, id: str) -> bool:
        """Whether it was there."""
        return await self._db.write(lambda c: responses.remove(c, id))

    async def input_items(self, id: str, *, after: str | None, limit: int, order: Order) -> Page:
        """Raises `MissingRecord` if no item of its input is `after`."""
        return await self._db.read(lambda c: responses.input_page(c, id, after, limit, order))

    async def all_input_items(self, id: str) -> list[Item]:
        """In order."""
        return await self._db.read(lambda c: responses.input_items(c, id))

    async def chain(self, id: str) -> list[Item]:
        """Input and output of a response and of all it went on from, oldest first.

        Raises `MissingRecord` for one that is not there or has failed.
        """
        return await self._db.read(lambda c: responses.chain(c, id))

    async def item(self, id: str) -> Item | None:
        """An item of any response or conversation."""
        return await self._db.read(lambda c: responses.item(c, id))

    async def unfinished(self) -> list[ResponseRecord]:
        """Responses that servers left when they were stopped. They are this store's from now on, and no other's."""
        return await self._db.write(self._owner.claim)

    # -- conversations ---------------------------------------------------------------------------------------------

    async def create_conversation(self, record: ConversationRecord, items: Sequence[Item]) -> None:
        """Raises `DuplicateRecord` for two items of one id."""
        await self._db.write(lambda c: conversations.create(c, record, items))

    async def conversation(self, id: str) -> ConversationRecord | None:
        return await self._db.read(lambda c: conversations.get(c, id))

    async def set_metadata(self, id: str, metadata: bytes) -> bool:
        """Whether there is such a conversation."""
        return await self._db.write(lambda c: conversations.set_metadata(c, id, metadata))

    async def delete_conversation(self, id: str) -> bool:
        """Whether it was there. Responses that were made within it stay."""
        return await self._db.write(lambda c: conversations.remove(c, id))

    async def append_items(self, id: str, items: Sequence[Item]) -> bool:
        """Whether there is such a conversation. Raises `DuplicateRecord` for an item that it has."""
        return await self._db.write(lambda c: conversations.append(c, id, items))

    async def conversation_items(self, id: str, *, after: str | None, limit: int, order: Order) -> Page:
        """Raises `MissingRecord` if it has no item `after`."""
        return await self._db.read(lambda c: conversations.page(c, id, after, limit, order))

    async def all_conversation_items(self, id: str) -> list[Item]:
        """Oldest first."""
        return await self._db.read(lambda c: conversations.items(c, id))

    async def conversation_item(self, id: str, item_id: str) -> Item | None:
        return await self._db.read(lambda c: conversations.item(c, id, item_id))

    async def delete_conversation_item(self, id: str, item_id: str) -> bool:
        """Whether it was there."""
        return await self._db.write(lambda c: conversations.remove_item(c, id, item_id))

    # -- files -----------------------------------------------------------------------------------------------------

    async def add_file(self, record: FileRecord, chunks: AsyncIterable[bytes]) -> None:
        """It is there when all of it is. If `chunks` raises, nothing of it is."""
        size, position = 0, 0
        await self._db.write(lambda c: files.begin(c, record))
        try:
            async for payload in chunks:
                await self._db.write(partial(files.add_chunk, id=record.id, position=position, payload=payload))
                size, position = size + len(payload), position + 1
            await self._db.write(lambda c: files.complete(c, record.id, size))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await self.delete_file(record.id)
            raise

    async def file(self, id: str) -> FileRecord | None:
        return await self._db.read(lambda c: files.get(c, id))

    async def file_chunks(self, id: str) -> AsyncIterator[bytes]:
        """What is in it. Ends early if it is deleted meanwhile."""
        position = 0
        while (payload := await self._db.read(partial(files.chunk, id=id, position=position))) is not None:
            yield payload
            position += 1

    async def files(self, *, after: str | None, limit: int, order: Order, purpose: str | None) -> FilePage:
        """By age. Raises `MissingRecord` if there is no file `after`."""
        return await self._db.read(lambda c: files.page(c, after, limit, order, purpose))

    async def delete_file(self, id: str) -> bool:
        """Whether it was there. It goes in pieces, so that others need not wait until all of it is overwritten."""
        there = await self._db.write(lambda c: files.hide(c, id))
        while await self._db.write(lambda c: files.remove_some(c, id)):
            pass
        await self._db.write(lambda c: files.remove(c, id))
        return there

    # -- the whole -------------------------------------------------------------------------------------------------

    async def expire(self, now: int, keep_at_most: int | None = None) -> int:
        """Let go of what is past its time, and of the oldest of too many responses. How many responses went."""
        for id in await self._db.read(lambda c: expiring.files_over(c, now)):
            await self.delete_file(id)
        return await self._db.write(lambda c: expiring.expire(c, now, keep_at_most))

    async def ping(self) -> None:
        """Nothing, if the database can be written."""
        await self._db.write(self._owner.beat)

    # -- inside ----------------------------------------------------------------------------------------------------

    async def _keep_beating(self) -> None:
        while True:
            await anyio.sleep(LEASE / 4)
            try:
                await self._db.write(self._owner.beat)
            except StoreError:
                _log.exception("The database does not answer.")

    async def _leave(self) -> None:
        try:
            await self._db.write(self._owner.leave)
        except StoreError:
            _log.exception("The database could not be left as it should.")


def _first(errors: BaseExceptionGroup[StoreError]) -> StoreError:
    found: BaseException = errors
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    assert isinstance(found, StoreError)
    return found
