"""Writer: all that is written goes through one task, which puts what waits into one transaction."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import anyio
import attrs
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sauropod.server.store.errors import StoreError
from sauropod.server.store.failures import translated

__all__ = ["Operation", "Writer"]

T = TypeVar("T")
Operation = Callable[[AsyncConnection], Awaitable[T]]
"""What is done in a transaction. It may be done twice, the first time in vain."""

MOST = 64
"""Operations in one transaction: the first of them waits for the last."""


@attrs.define(eq=False)
class _Waiting:
    operation: Operation[Any]
    done: anyio.Event = attrs.field(factory=anyio.Event)
    value: Any = None
    error: Exception | None = None


@attrs.define(eq=False)
class Writer:
    """Group commit: a commit takes a disk's time however much is in it, so those that wait share one.

    Operations are done in the order in which they come. One that fails is undone, and the others are not.
    """

    engine: AsyncEngine
    _waiting: deque[_Waiting] = attrs.field(factory=deque)
    _wake: anyio.Event = attrs.field(factory=anyio.Event)
    _closing: bool = False

    async def do(self, operation: Operation[T]) -> T:
        """Once this returns it is durable. Raises what the operation raises, or `StoreError`.

        If the caller is cancelled it is done all the same.
        """
        if self._closing:
            raise StoreError("The store is closed.")
        waiting = _Waiting(operation)
        self._waiting.append(waiting)
        self._wake.set()
        await waiting.done.wait()
        if waiting.error is not None:
            raise waiting.error
        value: T = waiting.value
        return value

    def close(self) -> None:
        """What waits is written, and nothing more is taken."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Until it is closed, whatever is cancelled around it: what ends may still have to be kept."""
        batch: list[_Waiting] = []
        try:
            with anyio.CancelScope(shield=True):
                while self._waiting or not self._closing:
                    if not self._waiting:
                        self._wake = anyio.Event()
                        await self._wake.wait()
                        continue
                    batch = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
                    await self._together(batch)
                    for waiting in batch:
                        waiting.done.set()
        finally:
            # An event loop that is torn down cancels even this: nobody may wait for it then.
            self._closing = True
            for waiting in (*batch, *self._waiting):
                if not waiting.done.is_set():
                    waiting.error = StoreError("The store was stopped before this was written.")
                    waiting.done.set()

    async def _together(self, batch: list[_Waiting]) -> None:
        try:
            async with self.engine.begin() as connection:
                for waiting in batch:
                    waiting.value = await waiting.operation(connection)
        except Exception:
            for waiting in batch:
                await self._alone(waiting)

    async def _alone(self, waiting: _Waiting) -> None:
        try:
            async with self.engine.begin() as connection:
                waiting.value = await waiting.operation(connection)
        except Exception as error:
            waiting.error = translated(error)
