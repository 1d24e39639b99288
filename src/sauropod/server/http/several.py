"""Several things side by side, as many at once as there is room for."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

__all__ = ["side_by_side"]


async def side_by_side(count: int, work: Callable[[int], Awaitable[object]], at_once: int) -> None:
    """`work` of 0, 1, … up to `count`. The first that fails stops the others, and its error is raised as it is."""
    room = anyio.Semaphore(max(at_once, 1))
    failed: list[Exception] = []

    async def one(at: int, scope: anyio.CancelScope) -> None:
        try:
            async with room:
                await work(at)
        except Exception as error:
            failed.append(error)
            scope.cancel()

    async with anyio.create_task_group() as tasks:
        for at in range(count):
            tasks.start_soon(one, at, tasks.cancel_scope)
    if failed:
        raise failed[0]
