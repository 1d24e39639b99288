"""Samples out of the loudspeaker."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

import attrs

from sauropod._audio.portaudio import sounddevice_for
from sauropod._audio.samples import check_rate, one_channel
from sauropod._speech.resampler import Resampler
from sauropod.errors import ClosedError, DeviceUnavailable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

__all__ = ["OutputStream", "Player", "play"]


class OutputStream(Protocol):
    """What is used of `sounddevice.OutputStream`."""

    @property
    def samplerate(self) -> float: ...

    def start(self) -> None: ...

    def write(self, samples: NDArray[np.float32], /) -> Any:
        """float32 [n, 1]. Waits until they are in the device's buffer."""
        ...

    def stop(self) -> None:
        """Wait until all is heard."""
        ...

    def abort(self) -> None:
        """Be silent at once."""
        ...

    def close(self) -> None: ...


@attrs.define(eq=False)
class Player:
    """Plays samples one after the other, in a `with` block:

        with Player(24_000) as player:
            for samples in speech:
                player.write(samples)

    At the end of the block it waits until all is heard; if the block ends by an exception it is silent at once. Raises
    `BackendNotFound` where the extra `audio` or PortAudio is missing, and `DeviceUnavailable` where nothing can play.
    """

    rate: int
    """Samples a second of what is written. A device that cannot play them is given its own rate."""
    device: int | str | None = attrs.field(default=None, kw_only=True)
    """A number or a part of a name, as `python -m sounddevice` lists them; None is the system's choice."""
    open_stream: Callable[[int, int | str | None], OutputStream] | None = attrs.field(default=None, kw_only=True)
    """Opens a stream with a rate and a device; None is PortAudio's."""
    _stream: OutputStream | None = attrs.field(init=False, default=None)
    _resampler: Resampler = attrs.field(init=False)
    _written: int = attrs.field(init=False, default=0)

    def __enter__(self) -> Self:
        rate = check_rate(self.rate)
        stream = (self.open_stream or open_portaudio)(rate, self.device)
        try:
            self._resampler = Resampler(rate, round(stream.samplerate))
            stream.start()
        except BaseException:
            stream.close()
            raise
        self._stream = stream
        return self

    def write(self, samples: ArrayLike) -> None:
        """Play these next: float [n], or integers. Louder than ±1 is clipped. Waits while the buffer is full."""
        if self._stream is None:
            raise ClosedError("The Player is not open. Write to it inside of its `with` block.")
        channel = one_channel(samples, self.rate, self._written)
        self._written += len(channel)
        self._play(self._resampler.feed(channel))

    def abort(self) -> None:
        """Be silent at once, and drop what was not heard yet. Nothing can be written after that."""
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()
            stream.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self.abort()
        elif self._stream is not None:
            try:
                self._play(self._resampler.finish())
                self._stream.stop()
            finally:
                stream, self._stream = self._stream, None
                stream.close()

    def _play(self, samples: NDArray[np.float32]) -> None:
        import numpy as np

        if len(samples) and self._stream is not None:
            self._stream.write(np.ascontiguousarray(np.clip(samples, -1, 1)[:, None]))


def play(samples: Iterable[ArrayLike], rate: int, *, device: int | str | None = None) -> None:
    """Play arrays one after the other, as they come, and wait until all is heard. See `Player`."""
    with Player(rate, device=device) as player:
        for piece in samples:
            player.write(piece)


@attrs.define(eq=False)
class _PortaudioStream:
    """See `OutputStream`. PortAudio's errors become ours: a device may be unplugged at any time."""

    _stream: Any
    _error: type[Exception]

    @property
    def samplerate(self) -> float:
        return float(self._stream.samplerate)

    def start(self) -> None:
        self._call(self._stream.start)

    def write(self, samples: NDArray[np.float32], /) -> None:
        self._call(self._stream.write, samples)

    def stop(self) -> None:
        self._call(self._stream.stop)

    def abort(self) -> None:
        self._call(self._stream.abort)

    def close(self) -> None:
        self._call(self._stream.close)

    def _call(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except self._error as error:
            raise DeviceUnavailable(
                f"The sound device failed: {error}. Look whether it is still plugged in."
            ) from error


def open_portaudio(rate: int, device: int | str | None) -> OutputStream:
    """A stream at this rate, or at the device's own if it has no such rate."""
    sounddevice = sounddevice_for("Playing sound")
    try:
        own = sounddevice.query_devices(device, "output")
        try:
            sounddevice.check_output_settings(device=device, channels=1, dtype="float32", samplerate=rate)
        except sounddevice.PortAudioError:
            rate = round(own["default_samplerate"])
        stream = sounddevice.OutputStream(rate, device=device, channels=1, dtype="float32")
    except (sounddevice.PortAudioError, ValueError) as error:
        raise DeviceUnavailable(
            f"No sound can be played on {'the default device' if device is None else repr(device)}: {error}. Plug one "
            "in, choose one that `python -m sounddevice` lists, or write a file instead."
        ) from error
    return _PortaudioStream(stream, sounddevice.PortAudioError)
