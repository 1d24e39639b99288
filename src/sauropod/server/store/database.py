"""Database: connections to read by, and the one that is written through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import attrs
from sqlalchemy import URL, Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from sauropod.server.store.errors import StoreError
from sauropod.server.store.failures import translating
from sauropod.server.store.migrating import migrate
from sauropod.server.store.places import in_memory, prepare, shown
from sauropod.server.store.writer import Operation, T, Writer

__all__ = ["Database"]

PRAGMAS = (
    "busy_timeout = 30000",
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "secure_delete = ON",
)
"""Other processes are waited for; readers do not wait; what is committed survives a loss of power; what is deleted is
overwritten."""

READERS = 4

_migrating = threading.Lock()
"""Alembic has one migration at a time in a process, in variables of its own."""


@attrs.define(eq=False)
class Database:
    """Where operations are run. A database in memory has one connection, so all is done in a row."""

    url: URL
    writing: AsyncEngine
    reading: AsyncEngine | None
    writer: Writer

    @classmethod
    async def open(cls, url: URL) -> Database:
        """Its tables are as this version needs them then. Raises `StoreError`."""
        await anyio.to_thread.run_sync(prepare, url)
        try:
            writing = _engine(url, 1)
        except ModuleNotFoundError as error:
            raise StoreError(
                f"The database needs the package {error.name!r}. "
                'Install it with: pip install "sauropod[server,postgres]"'
            ) from error
        with anyio.CancelScope(shield=True):  # a connection that is cancelled is not closed
            try:
                await _migrate(writing)
            except StoreError as error:
                await writing.dispose()
                raise _explained(error, url) from error.__cause__
        plain = {"isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
        return cls(url, writing, None if in_memory(url) else _engine(url, READERS, **plain), Writer(writing))

    async def write(self, operation: Operation[T]) -> T:
        """In a transaction. Raises what the operation raises, or `StoreError`."""
        return await self.writer.do(operation)

    async def read(self, operation: Operation[T]) -> T:
        """Outside of any transaction. Raises what the operation raises, or `StoreError`."""
        if self.reading is None:
            return await self.writer.do(operation)
        with translating():
            async with self.reading.connect() as connection:
                return await operation(connection)

    async def close(self) -> None:
        """After the writer has ended."""
        for engine in (self.reading, self.writing):
            if engine is not None:
                await engine.dispose()


async def _migrate(engine: AsyncEngine) -> None:
    await anyio.to_thread.run_sync(_migrating.acquire)
    try:
        with translating():
            async with engine.begin() as connection:
                await connection.run_sync(migrate)
    finally:
        _migrating.release()


def _engine(url: URL, connections: int, **options: Any) -> AsyncEngine:
    options |= {"pool_size": connections, "max_overflow": 0, "hide_parameters": True}
    if url.get_backend_name() != "sqlite":
        # A connection that the other side has closed meanwhile is replaced.
        return create_async_engine(url, pool_pre_ping=True, **options)
    engine = create_async_engine(url, poolclass=AsyncAdaptedQueuePool, connect_args={"timeout": 30}, **options)
    event.listen(engine.sync_engine, "connect", _prepared(in_memory(url)))
    if "isolation_level" not in options:
        event.listen(engine.sync_engine, "begin", _begin_to_write)
    return engine


def _prepared(memory: bool) -> Callable[[DBAPIConnection, Any], None]:
    def connected(connection: DBAPIConnection, _: Any) -> None:
        # Transactions are begun by us, and not by sqlite3 when it thinks that one is needed.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in PRAGMAS:
            if not (memory and pragma.startswith("journal_mode")):
                cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    return connected


def _begin_to_write(connection: Connection) -> None:
    # Not later than now: who has read, and then finds that another has written, could not write any more.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _explained(error: StoreError, url: URL) -> StoreError:
    if not isinstance(error.__cause__, SQLAlchemyError | OSError):
        return error
    help = (
        "Is it running, and are the user, the password and the name of the database right?"
        if url.get_backend_name() == "postgresql"
        else "Name another with `database`."
    )
    return StoreError(f"The database {shown(url)} cannot be opened: {str(error).partition(': ')[2]}. {help}")
