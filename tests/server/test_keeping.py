"""What is kept is opened once, stays while it is used, and is let go after."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import anyio.lowlevel
import attrs
import pytest

from sauropod.errors import ModelNotFound
from sauropod.server.catalog import Catalog, ModelEntry
from sauropod.server.keeping import Kept
from sauropod.server.problems import Problem

pytestmark = pytest.mark.anyio


@attrs.define(eq=False)
class Thing:
    """Counts how often it is opened and closed."""

    gate: anyio.Event = attrs.field(factory=anyio.Event)
    log: list[str] = attrs.field(factory=list)
    fails: int = 0

    async def open(self) -> Thing:
        self.log.append("opening")
        await self.gate.wait()
        if self.fails:
            self.fails -= 1
            raise ModelNotFound("It is not there.")
        self.log.append("open")
        return self

    async def aclose(self) -> None:
        self.log.append("closed")


@asynccontextmanager
async def kept(thing: Thing, keep_alive: float | None = None) -> AsyncIterator[Kept[Thing]]:
    async with anyio.create_task_group() as tasks:
        yield Kept("thing", lambda: thing, tasks, keep_alive)
        tasks.cancel_scope.cancel()


async def test_those_who_want_it_at_once_open_it_once() -> None:
    thing = Thing()
    async with kept(thing) as keeping, anyio.create_task_group() as users:

        async def use() -> None:
            async with keeping.use() as found:
                assert found is thing

        for _ in range(5):
            users.start_soon(use)
        await anyio.wait_all_tasks_blocked()
        thing.gate.set()
    assert thing.log == ["opening", "open"]


async def test_it_goes_on_being_opened_when_who_wanted_it_leaves() -> None:
    thing = Thing()
    async with kept(thing) as keeping:
        with anyio.move_on_after(0):
            async with keeping.use():
                pass
        thing.gate.set()
        async with keeping.use() as found:
            assert found is thing
    assert thing.log == ["opening", "open"]


async def test_what_fails_to_open_is_told_to_all_and_tried_again() -> None:
    thing = Thing(fails=1)
    thing.gate.set()
    async with kept(thing) as keeping:
        with pytest.raises(ModelNotFound):
            async with keeping.use():
                pass
        async with keeping.use() as found:
            assert found is thing


async def test_it_is_let_go_when_nobody_used_it_for_a_while() -> None:
    thing = Thing()
    thing.gate.set()
    async with kept(thing, keep_alive=0.0) as keeping:
        async with keeping.use(), keeping.use():
            await anyio.wait_all_tasks_blocked()
            assert thing.log == ["opening", "open"]
        while thing.log[-1] != "closed":
            await anyio.lowlevel.checkpoint()
        assert keeping.open is None


async def test_closing_waits_for_what_is_being_opened() -> None:
    thing = Thing()
    async with kept(thing) as keeping:
        with anyio.move_on_after(0):
            async with keeping.use():
                pass
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keeping.close)
            await anyio.wait_all_tasks_blocked()
            thing.gate.set()
    assert thing.log == ["opening", "open", "closed"]


def entries() -> list[ModelEntry]:
    def never() -> None:
        raise AssertionError

    return [
        ModelEntry("small", never, aliases=("tiny",)),  # type: ignore[arg-type]
        ModelEntry("large", never, default=True),  # type: ignore[arg-type]
    ]


async def test_models_are_found_by_name_alias_and_default() -> None:
    async with anyio.create_task_group() as tasks:
        catalog = Catalog.of(entries(), tasks)
        asked = ["small", "TINY", "default", None, "Large"]
        assert [catalog.entry(name).name for name in asked] == ["small", "small", "large", "large", "large"]


async def test_an_unknown_model_is_answered_with_those_there_are() -> None:
    async with anyio.create_task_group() as tasks:
        with pytest.raises(Problem) as caught:
            Catalog.of(entries(), tasks).entry("smal")
        assert (caught.value.status, caught.value.code) == (404, "model_not_found")
        assert "Did you mean 'small'?" in str(caught.value)
        assert "small, large" in str(caught.value)
