"""Somebody at a microphone, and what he hears: a session driven in real time."""

from __future__ import annotations

from collections import deque
from typing import Any

import anyio
import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod import AudioFrame, ReplyAudio, Session, Speech

__all__ = ["Talker", "trimmed"]

FRAME = 0.02
"""Seconds."""
SILENT = 0.01
"""The level, of 1, below which nothing can be heard."""
LATE = 0.02
"""Seconds by which a frame may come after it should have been played, with a buffer of nothing at all."""


def trimmed(speech: Speech) -> NDArray[np.float32]:
    """From its first sound to its last: float32 [n]."""
    loud = np.flatnonzero(np.abs(speech.samples) > SILENT)
    return speech.samples[loud[0] : loud[-1] + 1]


@attrs.define(eq=False)
class Talker:
    """Silent, until he is given something to say. Times are of the event loop's clock."""

    session: Session
    rate: int
    onset: float = 0.0
    """When the first sound of what he said last was sent."""
    last_audio: float = 0.0
    """When audio of a reply last came in."""
    events: list[Any] = attrs.field(factory=list)
    """All but audio."""
    frames: int = 0
    late: int = 0
    """Of these frames of audio, so many came after they should have been played."""
    lateness: list[float] = attrs.field(factory=list)
    _to_say: deque[NDArray[np.float32]] = attrs.field(factory=deque)
    _playing: tuple[str, float] = ("", 0.0)
    _waiting: dict[type[Any], list[anyio.Event]] = attrs.field(factory=dict)

    def say(self, samples: NDArray[np.float32]) -> None:
        """Say this from the next frame on."""
        size = round(FRAME * self.rate)
        padded = np.pad(samples, (0, -len(samples) % size))
        self._to_say.extend(padded.reshape(-1, size))
        self.onset = 0.0

    async def speak(self) -> None:
        """Send what there is to say, and silence else, in real time."""
        size, at, begin = round(FRAME * self.rate), 0, anyio.current_time()
        silence = np.zeros(size, np.float32)
        while True:
            speaking = bool(self._to_say)
            samples = self._to_say.popleft() if speaking else silence
            at += size
            await anyio.sleep(max(0.0, begin + at / self.rate - anyio.current_time()))
            if speaking and not self.onset:
                self.onset = anyio.current_time()
            await self.session.send(AudioFrame(samples, self.rate, at - size))

    async def listen(self) -> None:
        """Take in what happens."""
        async for event in self.session:
            if isinstance(event, ReplyAudio):
                self._hear(event)
            else:
                self.events.append(event)
            for waiting in self._waiting.pop(type(event), []):
                waiting.set()

    async def until(self, kind: type[Any]) -> None:
        """Until the next event of a kind."""
        event = anyio.Event()
        self._waiting.setdefault(kind, []).append(event)
        await event.wait()

    def count(self, kind: type[Any]) -> int:
        return sum(isinstance(event, kind) for event in self.events)

    def _hear(self, event: ReplyAudio) -> None:
        now, frame = anyio.current_time(), event.frame
        self.last_audio = now
        item, begun = self._playing
        if item != event.item_id:
            begun = now
        lateness = now - begun - frame.start / frame.rate
        if lateness > LATE:  # it is played late, and with it all that follows
            begun += lateness
            self.late += 1
        self._playing = event.item_id, begun
        self.lateness.append(max(0.0, lateness))
        self.frames += 1
