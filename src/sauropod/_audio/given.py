"""Samples that need no decoding: arrays, and frames that come one by one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import attrs

from sauropod._audio.decoder import block_length
from sauropod._audio.magic import recognise
from sauropod._audio.samples import as_float, check_rate, in_columns
from sauropod._values.audio import AudioFrame
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ArrayDecoder", "FramesDecoder", "open_array", "open_frames"]


@attrs.define(eq=False)
class ArrayDecoder:
    """See `Decoder`. Whatever the array's kind, only a block of it at a time is turned into floats."""

    rate: int
    _samples: NDArray[Any]
    """[n, channels]"""
    name: str = "The array"
    format: str = "array"
    size: int | None = None
    shortfall: str | None = None

    @property
    def channels(self) -> int:
        return int(self._samples.shape[1])

    @property
    def declared(self) -> float | None:
        return len(self._samples) / self.rate

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        length = block_length(self.rate, self.channels)
        for begin in range(0, len(self._samples), length):
            yield as_float(self._samples[begin : begin + length])

    def close(self) -> None:
        pass


@attrs.define(eq=False)
class FramesDecoder:
    """See `Decoder`. What one frame leaves out before the next is not made up for."""

    rate: int
    _first: AudioFrame
    _rest: Iterator[Any]
    name: str = "The audio"
    format: str = "frames"
    channels: int = 1
    declared: float | None = None
    size: int | None = None
    shortfall: str | None = None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        yield from self._samples(self._first)
        for number, frame in enumerate(self._rest, 1):
            if not isinstance(frame, AudioFrame):
                raise UnsupportedInput(f"Item {number} of the audio is no AudioFrame; got {type(frame).__name__}.")
            if frame.rate != self.rate:
                raise UnsupportedInput(
                    f"Frame {number} of the audio has {frame.rate:,} samples a second, and the first had {self.rate:,}."
                )
            yield from self._samples(frame)

    def _samples(self, frame: AudioFrame) -> Iterator[NDArray[np.float32]]:
        if len(frame.samples):
            yield as_float(in_columns(frame.samples, "A frame of the audio"))

    def close(self) -> None:
        pass


def open_array(samples: Any, rate: Any) -> ArrayDecoder:
    """An array and its sample rate."""
    import numpy as np

    array = np.asarray(samples)
    if array.dtype == np.uint8 and array.ndim == 1 and (form := recognise(array[:4096].tobytes())):
        raise UnsupportedInput(f"The array holds the bytes of a file ({form.name}), not samples. Give array.tobytes().")
    if rate is None:
        raise UnsupportedInput("The array's sample rate is not known. Give both, such as (array, 16000).")
    return ArrayDecoder(check_rate(rate, "The array's sample rate"), in_columns(array))


def open_frames(frames: Iterable[Any]) -> FramesDecoder:
    """`AudioFrame`s, all at one rate. The first is taken."""
    rest = iter(frames)
    first = next(rest, None)
    if first is None:
        raise UnsupportedInput("The audio holds no frames.")
    if not isinstance(first, AudioFrame):
        raise UnsupportedInput(
            f"The audio is an iterable of {type(first).__name__}, and one of AudioFrame is wanted. Give samples as "
            "(numpy array, sample rate)."
        )
    return FramesDecoder(check_rate(first.rate, "The frames' sample rate"), first, rest)
