"""Microphones, over a stream that is given blocks by a thread."""

from __future__ import annotations

import sys
import threading

import anyio
import numpy as np
import pytest

from sauropod import BackendNotFound
from sauropod._audio import Microphone
from sauropod._audio.microphone import KEPT, Taken

pytestmark = pytest.mark.anyio


class Recording:
    """Gives so many blocks, each of one value, from a thread as PortAudio does."""

    samplerate = 8_000.0

    def __init__(self, taken: Taken, blocks: int) -> None:
        self._thread = threading.Thread(target=self._run, args=[taken, blocks])
        self.given = threading.Event()
        self.closed = False

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self.closed = True

    def _run(self, taken: Taken, blocks: int) -> None:
        for value in range(blocks):
            taken(np.full(160, value, np.float32))
        self.given.set()


async def test_frames_come_in_their_order_with_their_place() -> None:
    streams: list[Recording] = []

    def opened(device: object, taken: Taken) -> Recording:
        streams.append(Recording(taken, 5))
        return streams[0]

    async with Microphone(open_stream=opened) as microphone:
        with anyio.fail_after(5):
            frames = [await anext(microphone) for _ in range(5)]
    assert [float(frame.samples[0]) for frame in frames] == [0, 1, 2, 3, 4]
    assert [(frame.rate, frame.start) for frame in frames] == [(8_000, 160 * at) for at in range(5)]
    assert streams[0].closed


async def test_frames_come_at_the_rate_that_is_wanted() -> None:
    async with Microphone(rate=16_000, open_stream=lambda _, taken: Recording(taken, 50)) as microphone:
        with anyio.fail_after(5):
            frames = [await anext(microphone) for _ in range(50)]
    assert {frame.rate for frame in frames} == {16_000}
    assert 0 <= 2 * 50 * 160 - frames[-1].end < 1_600  # the rest is in the resampler


async def test_before_it_records_there_is_nothing() -> None:
    microphone = Microphone()
    assert microphone.lost == 0
    assert [frame async for frame in microphone] == []


async def test_the_device_does_not_wait_for_a_busy_event_loop() -> None:
    streams: list[Recording] = []

    def opened(device: object, taken: Taken) -> Recording:
        streams.append(Recording(taken, 20))
        return streams[0]

    async with Microphone(open_stream=opened) as microphone:
        assert streams[0].given.wait(10)  # the loop does nothing meanwhile
        with anyio.fail_after(5):
            assert [float((await anext(microphone)).samples[0]) for _ in range(20)] == list(range(20))
    assert [frame async for frame in microphone] == []


async def test_who_is_too_slow_loses_the_oldest() -> None:
    streams: list[Recording] = []

    def opened(device: object, taken: Taken) -> Recording:
        streams.append(Recording(taken, KEPT + 7))
        return streams[0]

    async with Microphone(open_stream=opened) as microphone:
        with anyio.fail_after(10):
            while not streams[0].given.is_set():
                await anyio.sleep(0.01)
            first = await anext(microphone)
    assert microphone.lost == 7
    assert float(first.samples[0]) == 7


async def test_without_sounddevice_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(BackendNotFound, match=r"sauropod\[audio\]"):
        async with Microphone():
            pass


async def test_one_that_is_cancelled_is_closed() -> None:
    streams: list[Recording] = []

    def opened(device: object, taken: Taken) -> Recording:
        streams.append(Recording(taken, 1))
        return streams[0]

    with anyio.move_on_after(0.05):
        async with Microphone(open_stream=opened) as microphone:
            async for _ in microphone:
                pass
    assert streams[0].closed
