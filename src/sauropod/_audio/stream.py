"""Audio being read: at the rate that is wanted, in one channel, within limits."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import TYPE_CHECKING, Self

import attrs

from sauropod._audio.decoder import Decoder
from sauropod._audio.limits import AudioLimits
from sauropod._audio.samples import check_sound, mono
from sauropod._log import log
from sauropod._speech.resampler import Resampler
from sauropod._values.audio import AudioFrame
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AudioStream"]

SMALL = 64 << 20
"""Bytes of 16-bit samples that any file may be decoded to, however small it is."""


@attrs.define(eq=False)
class AudioStream:
    """Iterate to get `AudioFrame`s of about a second, one after the other, none empty; at least one comes.

    Memory stays bounded by some blocks however long the audio is. Once the last frame has come, or at the end of the
    `with` block, the file is closed. Raises `UnsupportedInput` where the audio turns out to be none, or too much.
    """

    rate: int
    """Samples a second of the frames."""
    limits: AudioLimits
    _decoder: Decoder
    _frames: Iterator[AudioFrame] = attrs.field(init=False)
    _first: AudioFrame | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        try:
            self._check_declared()
            self._frames = self._read()
            self._first = next(self._frames, None)
            if self._first is None:
                raise UnsupportedInput(f"{self._decoder.name} holds no sound: it ends before its first sample.")
        except BaseException:
            self.close()
            raise

    @property
    def format(self) -> str:
        """What is read: `"WAV"`, `"MP3"`, `"array"` and so on."""
        return self._decoder.format

    @property
    def source_rate(self) -> int:
        """Samples a second before they were resampled."""
        return self._decoder.rate

    @property
    def channels(self) -> int:
        """How many there were before they were mixed."""
        return self._decoder.channels

    @property
    def declared(self) -> float | None:
        """How many seconds it has by what its header says, which may be wrong; None where it says nothing."""
        return self._decoder.declared

    @property
    def shortfall(self) -> str | None:
        """Known at the end: what is missing of a file that is damaged or cut short. It is logged as a warning, too."""
        return self._decoder.shortfall

    def __iter__(self) -> Iterator[AudioFrame]:
        return self

    def __next__(self) -> AudioFrame:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._frames)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, if it was opened here. What is left of it is not read. Can be called again."""
        self._frames, self._first = iter(()), None
        self._decoder.close()

    def _read(self) -> Iterator[AudioFrame]:
        """The frames, and the file closed after them."""
        resampler, start = Resampler(self._decoder.rate, self.rate), 0
        try:
            for samples in self._resampled(resampler):
                if len(samples):
                    yield AudioFrame(samples, self.rate, start)
                    start += len(samples)
        finally:
            self._decoder.close()
        if self._decoder.shortfall:
            log("sauropod.audio").warning(
                "%s is damaged or cut short: %s. What there is of it is used.",
                self._decoder.name, self._decoder.shortfall,
            )  # fmt: skip

    def _resampled(self, resampler: Resampler) -> Iterator[NDArray[np.float32]]:
        count = 0
        for block in self._decoder.blocks():
            check_sound(block, count, self._decoder.rate, self._decoder.name)
            count += len(block)
            self._check_length(count)
            yield resampler.feed(mono(block))
        yield resampler.finish()

    def _check_declared(self) -> None:
        """Refuse what is too long before it is decoded, if it can be as long as it says."""
        declared = self._decoder.declared or 0.0
        believable = (
            not self._decoder.size or self._expansion(declared * self._decoder.rate) <= self.limits.max_expansion
        )
        if declared > self.limits.max_seconds and believable:
            raise self._too_long(f"is {declared:,.0f} s long")

    def _check_length(self, count: int) -> None:
        if count > self.limits.max_seconds * self._decoder.rate:
            raise self._too_long("is longer than that")
        decoded = 2 * count * self._decoder.channels
        if decoded > SMALL and self._decoder.size and self._expansion(count) > self.limits.max_expansion:
            raise UnsupportedInput(
                f"{self._decoder.name} has {self._decoder.size:,} bytes and more than {decoded:,} bytes of samples in "
                "it: no recording is compressed that much. To take it nevertheless, give AudioLimits with a larger "
                "max_expansion."
            )

    def _expansion(self, count: float) -> float:
        return 2 * count * self._decoder.channels / max(self._decoder.size or 1, 1)

    def _too_long(self, what: str) -> UnsupportedInput:
        return UnsupportedInput(
            f"{self._decoder.name} {what}, and at most {self.limits.max_seconds:,g} s are taken. Cut it, or give "
            "AudioLimits with a larger max_seconds."
        )
