"""Microphone: what it hears, as frames, while an event loop waits for them."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import anyio
import anyio.to_thread
import attrs

from sauropod._audio.portaudio import sounddevice_for
from sauropod._audio.samples import check_rate
from sauropod._mailbox import Mailbox
from sauropod._speech.resampler import Resampler
from sauropod._values.audio import AudioFrame
from sauropod.errors import DeviceUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["InputStream", "Microphone"]

RATE = 16_000
BLOCK = 0.02
"""Seconds of a frame."""
KEPT = 500
"""Frames that wait to be taken; of more the oldest are dropped."""


class InputStream(Protocol):
    """What is used of `sounddevice.InputStream`."""

    @property
    def samplerate(self) -> float: ...

    def start(self) -> None: ...

    def close(self) -> None: ...


Taken = Callable[["NDArray[np.float32]"], None]


@attrs.define(eq=False)
class Microphone:
    """Records in an `async with` block, and is iterated over for `AudioFrame`s of one channel.

    Raises `BackendNotFound` where the extra `audio` or PortAudio is missing, and `DeviceUnavailable` where nothing
    records. Who takes frames too slowly loses the oldest, which `lost` counts; the device never waits for anybody.
    """

    device: int | str | None = None
    """A number or a part of a name, as `python -m sounddevice` lists them; None is the system's choice."""
    rate: int | None = attrs.field(default=None, kw_only=True)
    """Samples a second of its frames; None is 16,000, or what the device has."""
    open_stream: Callable[[int | str | None, Taken], InputStream] | None = attrs.field(default=None, kw_only=True)
    """Opens a stream that gives what it hears, float32 [n], to a function in a thread of its own. None: PortAudio's."""
    _stream: InputStream | None = attrs.field(init=False, default=None)
    _at: int = attrs.field(init=False, default=0)
    _rate: int = attrs.field(init=False, default=RATE)
    _resampler: Resampler = attrs.field(init=False)
    _frames: Mailbox[AudioFrame | None] | None = attrs.field(init=False, default=None)
    """None before it records. In it, None is behind the last."""

    @property
    def lost(self) -> int:
        """How many frames were not taken in time."""
        return 0 if self._frames is None else self._frames.lost

    async def __aenter__(self) -> Self:
        self._frames = Mailbox(KEPT)
        wanted = None if self.rate is None else check_rate(self.rate)
        self._stream = (self.open_stream or open_portaudio)(self.device, self._take)
        try:
            own = round(self._stream.samplerate)
            self._rate = wanted or own
            self._resampler = Resampler(own, self._rate)
            self._stream.start()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                with anyio.CancelScope(shield=True):  # it is open as long as it is not closed
                    await anyio.to_thread.run_sync(stream.close)
        finally:
            self._put(None)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AudioFrame:
        frame = None if self._frames is None else await self._frames.get()
        if frame is None:
            self._put(None)
            raise StopAsyncIteration
        return frame

    def _take(self, samples: NDArray[np.float32]) -> None:
        """Called by the device's own thread."""
        samples = self._resampler.feed(samples)
        self._put(AudioFrame(samples, self._rate, self._at))
        self._at += len(samples)

    def _put(self, frame: AudioFrame | None) -> None:
        if self._frames is not None:
            self._frames.put(frame)


def open_portaudio(device: int | str | None, taken: Taken) -> InputStream:
    """A stream at 16 kHz, or at the device's own rate if it has no such rate."""
    sounddevice = sounddevice_for("Recording sound")

    def heard(block: Any, frames: int, time: Any, status: Any) -> None:
        taken(block[:, 0].copy())

    rate = RATE
    try:
        own = sounddevice.query_devices(device, "input")
        try:
            sounddevice.check_input_settings(device=device, channels=1, dtype="float32", samplerate=rate)
        except sounddevice.PortAudioError:
            rate = round(own["default_samplerate"])
        stream = sounddevice.InputStream(rate, round(BLOCK * rate), device, channels=1, dtype="float32", callback=heard)
    except (sounddevice.PortAudioError, ValueError) as error:
        raise DeviceUnavailable(
            f"No sound can be recorded from {'the default device' if device is None else repr(device)}: {error}. Plug "
            "one in, or choose one that `python -m sounddevice` lists. `sauropod talk --wav` hears a file instead."
        ) from error
    return _PortaudioInput(stream, sounddevice.PortAudioError)


@attrs.define(eq=False)
class _PortaudioInput:
    """See `InputStream`. PortAudio's errors become ours."""

    _stream: Any
    _error: type[Exception]

    @property
    def samplerate(self) -> float:
        return float(self._stream.samplerate)

    def start(self) -> None:
        try:
            self._stream.start()
        except self._error as error:
            raise DeviceUnavailable(
                f"The microphone cannot be opened: {error}. Look whether another program has it."
            ) from error

    def close(self) -> None:
        self._stream.close()
