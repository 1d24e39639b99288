"""A stream after its end, closed under its reader, and forgotten."""

from __future__ import annotations

import gc
import threading
from collections.abc import AsyncGenerator, AsyncIterator

import anyio
import pytest

import sauropod
from sauropod import Engine, TextDelta, TextStream
from sauropod._runtime.transport import ProcessTransport
from sauropod._stream import RemoteRun
from sauropod._values.completion import StreamEvent
from workers import link_of

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("nothing_leaks")]


@pytest.fixture
async def engine(nothing_leaks: None) -> AsyncIterator[Engine]:
    async with Engine("fake:", options={"context_length": 1_000_000}) as engine:
        yield engine


async def test_after_its_error_a_stream_is_at_its_end(engine: Engine) -> None:
    stream = engine.stream([1] * 1_000_001)
    with anyio.fail_after(20):
        with pytest.raises(sauropod.PromptTooLong):
            await anext(stream)
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
    with pytest.raises(sauropod.ClosedError):
        _ = stream.completion


async def test_a_stream_goes_on_after_a_wait_that_was_cancelled(engine: Engine) -> None:
    async with engine.stream("Hello", seed=1, max_tokens=5, ignore_eos=True) as stream:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await anext(stream)
        assert [event async for event in stream][-1] == sauropod.Finished(stream.completion)


@pytest.mark.parametrize("n", [1, 3])
async def test_closing_a_stream_wakes_its_reader(n: int, engine: Engine) -> None:
    stream = engine.stream("Hello", ignore_eos=True, n=n)
    await anext(stream)
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:

            async def read_on() -> None:
                with pytest.raises(sauropod.ClosedError):
                    async for _ in stream:
                        pass

            group.start_soon(read_on)
            await anyio.wait_all_tasks_blocked()
            await stream.aclose()
    assert not link_of(engine)._exchanges


async def test_closing_a_plug_ins_stream_wakes_its_reader() -> None:
    closed = []

    async def events() -> AsyncGenerator[StreamEvent, None]:
        try:
            yield TextDelta("a")
            await anyio.sleep_forever()
        finally:
            closed.append(True)

    stream = TextStream(RemoteRun(events()))
    assert await anext(stream) == TextDelta("a")
    with anyio.fail_after(20):
        async with anyio.create_task_group() as group:

            async def read_on() -> None:
                with pytest.raises(sauropod.ClosedError, match="closed while it was being read"):
                    await anext(stream)

            group.start_soon(read_on)
            await anyio.wait_all_tasks_blocked()
            await stream.aclose()
    assert closed == [True]


async def test_a_stream_is_forgotten_while_others_hold_every_lock(engine: Engine) -> None:
    """As the garbage collector does it: in the middle of anything, also of sending a request."""
    link = link_of(engine)
    streams = [engine.stream("Hello", ignore_eos=True)]
    await anext(streams[0])
    exchanges = list(link._exchanges)
    transport = link._transport
    assert isinstance(transport, ProcessTransport)
    with link._lock, transport._sending:
        finalizer = threading.Thread(target=streams.clear, daemon=True)
        finalizer.start()
        finalizer.join(20)
        assert not finalizer.is_alive()
    gc.collect()
    await engine.count_tokens("x")
    assert not link._exchanges.keys() & set(exchanges)


async def test_a_stream_of_an_engine_that_was_closed_says_so(engine: Engine) -> None:
    async with Engine("fake:") as other:
        stream = other.stream("Hello")
    with pytest.raises(sauropod.ClosedError):
        await anext(stream)
