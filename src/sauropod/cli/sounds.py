"""Both ends of a spoken conversation: a microphone and a loudspeaker, or two files in their place."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Protocol

import anyio
import anyio.to_thread
import attrs
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from sauropod import AudioFrame
from sauropod._audio import Microphone, Player, open_audio, write_audio

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Devices", "Files", "Sounds"]

FRAME = 0.02
"""Seconds."""
LATE = 0.1
"""Seconds that a frame from a file may come late before the clock is set anew: else all would follow at once."""


class Sounds(Protocol):
    """Where what the user says comes from, and where what the session says goes."""

    def frames(self) -> AsyncIterator[AudioFrame]:
        """What the user says, in real time. It ends when nothing more will come."""

    async def play(self, frame: AudioFrame) -> None:
        """Play this next."""

    async def stop(self) -> None:
        """Play nothing of what has not been heard yet."""


@attrs.define(eq=False)
class Devices:
    """A microphone and a loudspeaker."""

    microphone: Microphone
    player: Player
    _sending: MemoryObjectSendStream[AudioFrame]
    _waiting: MemoryObjectReceiveStream[AudioFrame]

    @classmethod
    @asynccontextmanager
    async def opened(cls, microphone: Microphone, player: Player) -> AsyncIterator[Devices]:
        """Raises what opening them raises."""
        async with microphone:
            sending, waiting = anyio.create_memory_object_stream[AudioFrame](math.inf)
            with player, sending, waiting:
                devices = cls(microphone, player, sending, waiting)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(devices._write)
                    yield devices
                    tasks.cancel_scope.cancel()

    async def frames(self) -> AsyncIterator[AudioFrame]:
        async for frame in self.microphone:
            yield frame

    async def play(self, frame: AudioFrame) -> None:
        await self._sending.send(frame)

    async def stop(self) -> None:
        while self._waiting.statistics().current_buffer_used:
            self._waiting.receive_nowait()

    async def _write(self) -> None:
        async for frame in self._waiting:
            await anyio.to_thread.run_sync(self.player.write, frame.samples)


@attrs.define(eq=False)
class Files:
    """A recording instead of a microphone, and instead of a loudspeaker another one: both sides, as they were heard."""

    recording: str
    rate: int
    """Samples a second of what is written."""
    over: bool = False
    """All of the recording has been heard."""
    clock: Callable[[], float] = anyio.current_time
    _began: float = 0.0
    _said: list[tuple[int, NDArray[np.float32]]] = attrs.field(factory=list)
    """What the session said, each with its first sample."""
    _heard: list[NDArray[np.float32]] = attrs.field(factory=list)
    """What the user said."""
    _ended: anyio.Event = attrs.field(factory=anyio.Event)

    def end(self) -> None:
        """Nothing more is waited for."""
        self._ended.set()

    async def frames(self) -> AsyncIterator[AudioFrame]:
        """The recording, then silence until `end`."""
        import numpy as np

        self._began = begin = self.clock()
        size, at = round(FRAME * self.rate), 0
        for samples in self._blocks(size):
            at += size
            self._heard.append(samples)
            late = self.clock() - (begin + at / self.rate)
            begin += max(0.0, late - LATE)
            await anyio.sleep(max(0.0, -late))
            yield AudioFrame(samples, self.rate, at - size)
        self.over = True
        while not self._ended.is_set():
            at += size
            await anyio.sleep(max(0.0, begin + at / self.rate - self.clock()))
            yield AudioFrame(np.zeros(size, np.float32), self.rate, at - size)

    async def play(self, frame: AudioFrame) -> None:
        now = round((self.clock() - self._began) * self.rate)
        after = self._said[-1][0] + len(self._said[-1][1]) if self._said else 0
        self._said.append((max(now, after), frame.samples))

    async def stop(self) -> None:
        now = round((self.clock() - self._began) * self.rate)
        self._said = [(start, samples[: max(0, now - start)]) for start, samples in self._said if start < now]

    def save(self, path: str) -> float:
        """Write what was heard of both. How many seconds that is."""
        import numpy as np

        user = np.concatenate([*self._heard, np.zeros(0, np.float32)])
        end = max([len(user), *(start + len(samples) for start, samples in self._said)])
        mixed = np.pad(user, (0, end - len(user)))
        for start, samples in self._said:
            mixed[start : start + len(samples)] += samples
        write_audio(path, np.clip(mixed, -1, 1), self.rate)
        return end / self.rate

    def _blocks(self, size: int) -> list[NDArray[np.float32]]:
        import numpy as np

        with open_audio(self.recording, rate=self.rate) as stream:
            whole = np.concatenate([*(frame.samples for frame in stream), np.zeros(0, np.float32)])
        whole = np.pad(whole, (0, -len(whole) % size))
        return [whole[at : at + size] for at in range(0, len(whole), size)]
