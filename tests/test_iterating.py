"""Going through what an application gives: who is asked where, and what that does not block."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import closing

import anyio
import numpy as np
import pytest

from sauropod._audio import encode_audio
from sauropod._iterating import END, Asked, Reading
from sauropod._values.audio import AudioFrame
from sauropod.errors import UnsupportedInput

pytestmark = pytest.mark.anyio

RATE = 16_000
SOUND = np.sin(np.arange(3 * RATE + 5) / 20).astype(np.float32)


async def frames_of(reading: Reading) -> list[AudioFrame]:
    frames = []
    with closing(reading.asked()) as asked:
        while (frame := await asked.next()) is not END:
            frames.append(frame)
    return frames


@pytest.fixture
def threads(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Those that are started meanwhile."""
    started: list[threading.Thread] = []
    start = threading.Thread.start

    def counted(thread: threading.Thread) -> None:
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", counted)
    return started


@pytest.mark.parametrize("rate", [RATE, 24_000])
async def test_an_array_is_read_without_a_thread(rate: int, threads: list[threading.Thread]) -> None:
    frames = await frames_of(Reading((SOUND, rate), RATE))
    assert threads == []
    assert sum(len(frame.samples) for frame in frames) == round(len(SOUND) * RATE / rate)


async def test_a_file_gives_what_its_array_gives() -> None:
    pytest.importorskip("soundfile")
    pcm = np.round(SOUND * 32767).astype(np.int16)
    file = await frames_of(Reading(encode_audio(pcm, RATE, "wav"), RATE))
    array = await frames_of(Reading((pcm, RATE), RATE))
    for frames in (file, array):
        assert [frame.start for frame in frames] == [0, RATE, 2 * RATE, 3 * RATE]
    assert all(np.array_equal(one.samples, other.samples) for one, other in zip(file, array, strict=True))


async def test_a_second_of_audio_takes_its_turn_with_others() -> None:
    order: list[str] = []

    async def read(name: str) -> None:
        with closing(Reading((SOUND, RATE), RATE).asked()) as asked:
            while await asked.next() is not END:
                order.append(name)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read, "a")
        tasks.start_soon(read, "b")
    assert order.index("b") < 3
    assert sorted(order) == ["a"] * 4 + ["b"] * 4


async def test_what_is_no_audio_is_told_when_it_is_asked_for() -> None:
    with closing(Reading(b"no sound at all", RATE).asked()) as asked, pytest.raises(UnsupportedInput):
        await asked.next()
    with (
        closing(Reading(np.zeros(5, np.float32), RATE).asked()) as asked,
        pytest.raises(UnsupportedInput, match="rate"),
    ):
        await asked.next()


async def test_without_patience_nothing_is_asked_for_before_it_is_wanted() -> None:
    taken: list[int] = []

    def count() -> Iterator[int]:
        for number in range(5):
            taken.append(number)
            yield number

    asked = Asked(count(), lambda: None)
    assert await asked.next() == 0
    assert taken == [0]


async def test_with_patience_one_thread_goes_on_asking(threads: list[threading.Thread]) -> None:
    asked = Asked(iter(range(5)), lambda: None, patience=60.0)
    assert [await asked.next() for _ in range(6)] == [0, 1, 2, 3, 4, END]
    assert len(threads) == 1


async def test_a_call_that_blocks_is_left_to_itself_and_closes_the_file_when_it_returns() -> None:
    inside, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    class Slow(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            inside.set()
            go_on.wait()
            return super().read(size)

    def close() -> None:
        reading.close()
        closed.set()

    reading = Reading(Slow(encode_audio(SOUND, RATE, "wav")), RATE)
    asked = Asked(reading, close, patience=60.0)
    with closing(asked):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(asked.next)
            await anyio.to_thread.run_sync(inside.wait)
            tasks.cancel_scope.cancel()
    assert not closed.is_set()
    go_on.set()
    await anyio.to_thread.run_sync(closed.wait)
