"""What flows out of tasks of its own: opened by `async with`, read by `async for`, stopped by leaving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import ClassVar, Generic, Self, TypeVar

import anyio
import attrs
from anyio.abc import ObjectSendStream, TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream

from sauropod.errors import ClosedError

__all__ = ["Flow"]

Event = TypeVar("Event")


@attrs.define(eq=False)
class Flow(ABC, Generic[Event]):
    """Events that are made while others are read. An error comes after the events that were made before it.

    It belongs to the task that opened it.
    """

    _maker: ClassVar[str]
    """What makes another one, for errors to name."""
    _ahead: ClassVar[float]
    """How many events are made before anybody asks for them."""
    _tasks: TaskGroup | None = attrs.field(init=False, default=None)
    _events: MemoryObjectReceiveStream[Event | Exception] = attrs.field(init=False)
    _closed: bool = attrs.field(init=False, default=False)

    @abstractmethod
    async def _make(self, out: ObjectSendStream[Event | Exception]) -> None:
        """Make all events. It is cancelled when nobody reads any more."""

    async def __aenter__(self) -> Self:
        if self._tasks is not None:
            raise ClosedError(f"A stream is opened once. Make a new one with {self._maker}.")
        out, self._events = anyio.create_memory_object_stream[Event | Exception](self._ahead)
        self._tasks = await anyio.create_task_group().__aenter__()
        self._tasks.start_soon(self._run, out)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._tasks is not None
        self._closed = True
        self._tasks.cancel_scope.cancel()
        try:
            # an error of the block is the block's own, and is not put into a group
            await self._tasks.__aexit__(None, None, None)
        finally:
            self._events.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._tasks is None:
            raise ClosedError(f"It streams within a block: async with {self._maker} as stream.")
        if self._closed:
            raise ClosedError(f"The stream is closed. Make a new one with {self._maker}.")
        try:
            event = await self._events.receive()
        except anyio.EndOfStream:
            raise StopAsyncIteration from None
        if isinstance(event, Exception):
            raise event
        return event

    async def _run(self, out: ObjectSendStream[Event | Exception]) -> None:
        async with out:
            try:
                await self._make(out)
            except Exception as error:
                await out.send(_first(error))


def _first(error: Exception) -> Exception:
    """Of errors in several tasks, the first: the others are mostly its consequences."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    return error
