"""A database is made, is brought up to date, or is refused."""

from __future__ import annotations

import anyio
import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store import ResponseRecord, Store, StoreError
from sauropod.server.store.database import Database
from sauropod.server.store.places import database_url
from sauropod.server.store.tables import metadata

pytestmark = pytest.mark.anyio


async def test_the_migrations_lead_to_the_tables(where: str) -> None:
    def differences(connection: Connection) -> object:
        return compare_metadata(MigrationContext.configure(connection, opts={"compare_type": True}), metadata)

    database = await Database.open(database_url(where))
    async with database.writing.begin() as connection:
        assert await connection.run_sync(differences) == []
    await database.close()


async def test_what_is_there_stays_when_it_is_opened_again(where: str) -> None:
    if where == ":memory:":
        pytest.skip("nothing is left of a database in memory")
    record = ResponseRecord(id="r", created_at=1, status="completed", model="m")
    async with Store.open(where) as store:
        await store.begin(record, [])
    async with Store.open(where) as store:
        assert await store.response("r") == record


async def test_a_newer_database_is_refused_and_left_alone(where: str) -> None:
    if where == ":memory:":
        pytest.skip("nothing is left of a database in memory")

    async def age(c: AsyncConnection) -> None:
        await c.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    async def version(c: AsyncConnection) -> object:
        return (await c.execute(text("SELECT version_num FROM alembic_version"))).scalar()

    database = await Database.open(database_url(where))
    async with database.writing.begin() as connection:
        await age(connection)
    with pytest.raises(StoreError, match=r"newer sauropod \(its schema is 9999\)"):
        async with Store.open(where):
            pass
    assert await database.read(version) == "9999"
    await database.close()


async def test_those_that_start_at_once_make_it_once(where: str) -> None:
    async def start() -> None:
        async with Store.open(where) as store:
            await store.ping()

    async with anyio.create_task_group() as tasks:
        for _ in range(4):
            tasks.start_soon(start)
