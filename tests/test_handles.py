"""Opening and closing engines, in any order and interrupted anywhere."""

from __future__ import annotations

import asyncio

import anyio
import pytest

import sauropod
from sauropod import Engine, _handles
from sauropod._runtime.pool import shared_pool
from workers import link_of

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_leaks")]

SLOW = {"seconds_per_token": 10.0}
"""Of a step that is still running when a test is over."""


def users() -> list[int]:
    return [entry.users for entry in shared_pool._entries.values()]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_handles, "GRACE", 0.0)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_closing_cannot_be_stopped_by_cancelling_its_task(anyio_backend: str, hasty: None) -> None:
    staying, leaving = await Engine("fake:", options=SLOW).open(), await Engine("fake:").open()
    link = link_of(leaving)
    stepping = asyncio.create_task(staying.complete("x" * 100))
    await asyncio.sleep(0)
    closing = asyncio.create_task(leaving.aclose())
    await asyncio.sleep(0)
    closing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await closing
    assert users() == [1]
    assert len(link._models) == 1
    await staying.aclose()
    with pytest.raises(sauropod.ClosedError):
        await stepping
    assert users() == []


async def test_closing_ends_when_it_is_cancelled_though_the_worker_does_not_answer(hasty: None) -> None:
    async with Engine("fake:", options=SLOW) as staying, anyio.create_task_group() as group:
        leaving = await Engine("fake:").open()
        stream = staying.stream("x" * 100)
        group.start_soon(_read, stream)
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(20), anyio.CancelScope() as scope:
            scope.cancel()
            await leaving.aclose()
        assert users() == [1]
        await stream.aclose()


async def _read(stream: sauropod.TextStream) -> None:
    with pytest.raises(sauropod.ClosedError):
        await anext(stream)


async def test_an_engine_is_opened_once_also_at_the_same_time() -> None:
    engine = Engine("fake:")
    errors: list[sauropod.ClosedError] = []

    async def open() -> None:
        try:
            await engine.open()
        except sauropod.ClosedError as error:
            errors.append(error)

    async with anyio.create_task_group() as group:
        group.start_soon(open)
        group.start_soon(open)
    assert len(errors) == 1
    assert users() == [1]
    await engine.aclose()
    assert users() == []


async def test_an_engine_that_is_closed_while_it_is_opened_is_closed() -> None:
    engine = Engine("fake:")

    async def open() -> None:
        with pytest.raises(sauropod.ClosedError, match="closed while it was being opened"):
            await engine.open()

    async with anyio.create_task_group() as group:
        group.start_soon(open)
        await anyio.wait_all_tasks_blocked()
        await engine.aclose()
    assert users() == []
    with pytest.raises(sauropod.ClosedError):
        await engine.complete("Hello")


async def test_an_open_engine_can_be_entered() -> None:
    async with await Engine("fake:").open() as engine:
        assert await engine.count_tokens("x") > 0
    with pytest.raises(sauropod.ClosedError):
        await engine.count_tokens("x")


async def test_options_that_cannot_be_sent_are_an_error_at_opening() -> None:
    with anyio.fail_after(20), pytest.raises(sauropod.UnsupportedInput, match="cannot be sent to the worker process"):
        await Engine("fake:", options={"slots": lambda: 1}).open()
    assert users() == []


async def test_an_isolation_that_is_none_runs_native_code_nowhere() -> None:
    with pytest.raises(sauropod.UnsupportedInput, match="process and thread; got 'proces'"):
        Engine("fake:", isolation="proces")  # type: ignore[arg-type]
