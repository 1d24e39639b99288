"""What a server leaves unfinished is taken over once, and only when it is gone."""

from __future__ import annotations

import os
import subprocess
import sys

import attrs
import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from sauropod.server.store import ResponseRecord, Store
from sauropod.server.store.tables import servers

pytestmark = pytest.mark.anyio

RUNS = ResponseRecord(id="r", created_at=1, status="in_progress", model="m")
WAITS = ResponseRecord(id="q", created_at=0, status="queued", model="m")
ENDED = ResponseRecord(id="e", created_at=0, status="completed", model="m")


@pytest.fixture
def kept(where: str) -> str:
    if where == ":memory:":
        pytest.skip("a database in memory has one server")
    return where


async def test_what_a_living_one_works_on_is_its_own(kept: str) -> None:
    async with Store.open(kept) as one, Store.open(kept) as other:
        await one.begin(RUNS, [])
        assert await other.unfinished() == []
        assert await one.unfinished() == []


async def test_what_one_leaves_is_taken_once_and_oldest_first(kept: str) -> None:
    async with Store.open(kept) as one:
        for record in (RUNS, WAITS, ENDED):
            await one.begin(record, [])
    async with Store.open(kept) as two, Store.open(kept) as three:
        assert await two.unfinished() == [WAITS, RUNS]
        assert await three.unfinished() == []
    async with Store.open(kept) as four:
        assert await four.unfinished() == [WAITS, RUNS]


KILLED = """
import os, signal, sys, anyio
from sauropod.server.store import ResponseRecord, Store
async def main():
    async with Store.open(sys.argv[1]) as store:
        await store.begin(ResponseRecord(id="r", created_at=1, status="in_progress", model="m"), [])
        os.kill(os.getpid(), signal.SIGKILL)
anyio.run(main)
"""


async def test_one_that_was_killed_is_gone_at_once(kept: str) -> None:
    subprocess.run([sys.executable, "-c", KILLED, kept], timeout=60, check=False)
    async with Store.open(kept) as store:
        assert await store.unfinished() == [RUNS]


async def moved(store: Store, **values: object) -> None:
    """Have all servers that are known be elsewhere."""

    async def change(c: AsyncConnection) -> None:
        await c.execute(update(servers).values(**values))

    await store._db.write(change)


async def test_one_on_another_machine_is_gone_when_it_was_not_heard_of_for_a_minute(kept: str) -> None:
    async with Store.open(kept) as one:
        await one.begin(RUNS, [])
    async with Store.open(kept) as here:
        await moved(here, host="elsewhere")
        assert await here.unfinished() == []
        await moved(here, seen_at=0.0)
        assert await here.unfinished() == [RUNS]


async def test_a_number_that_another_process_has_now_says_nothing(kept: str) -> None:
    async with Store.open(kept) as one:
        await one.begin(attrs.evolve(RUNS), [])
    async with Store.open(kept) as here:
        await moved(here, pid=os.getppid(), started_at=5.0)
        assert await here.unfinished() == [RUNS]


async def test_one_that_is_dead_and_not_reaped_is_gone(kept: str) -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED, kept])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked how
    try:
        async with Store.open(kept) as store:
            assert await store.unfinished() == [RUNS]
    finally:
        process.wait()
