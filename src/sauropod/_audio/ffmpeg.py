"""Files that FFmpeg reads, through PyAV: MP4, WebM, AAC and more."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from sauropod._audio.encoded import EncodedFile, Window
from sauropod._audio.samples import MOST_CHANNELS, as_float, check_rate
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FfmpegDecoder", "open_ffmpeg"]

TOLERATED = 0.5
"""Seconds that may be missing at the end without a word: containers give lengths in round numbers."""


@attrs.define(eq=False)
class FfmpegDecoder:
    """See `Decoder`."""

    name: str
    format: str
    rate: int
    channels: int
    declared: float | None
    size: int | None
    _file: EncodedFile
    _window: Window
    _container: Any
    _av: Any
    shortfall: str | None = None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        read, failed = 0, ""
        frames = self._container.decode(self._container.streams.audio[0])
        while True:
            try:
                frame = next(frames, None)
            except self._av.FFmpegError as error:
                frame, failed = None, f" ({error.strerror})"
            self._window.check()
            if frame is None:
                break
            if frame.sample_rate != self.rate:
                raise UnsupportedInput(
                    f"{self.name} goes on at {frame.sample_rate:,} samples a second after {read / self.rate:,.1f} s, "
                    f"and began at {self.rate:,}. Convert it with: ffmpeg -i {self.name} -ar 16000 -ac 1 audio.wav"
                )
            if frame.samples:
                read += frame.samples
                yield _columns(frame)
        self.shortfall = self._judged(read / self.rate, failed)

    def close(self) -> None:
        self._container.close()
        self._file.close()

    def _judged(self, seconds: float, failed: str) -> str | None:
        if failed or (self.declared is not None and self.format != "AAC" and self.declared - seconds > TOLERATED):
            should = f"it should be {self.declared:,.1f} s long, and " if self.declared else "it "
            return f"{should}ends after {seconds:,.1f} s{failed}"
        return None


def open_ffmpeg(file: EncodedFile, av: Any) -> FfmpegDecoder:
    """Raises `av.FFmpegError` for what cannot be decoded, and `UnsupportedInput` for what has no sound."""
    window = Window(file)
    try:
        container = av.open(window, "r", format=file.form.ffmpeg, metadata_errors="replace", io_open=_refused)
    finally:
        window.check()
    try:
        if not container.streams.audio:
            raise UnsupportedInput(f"{file.name} has no sound in it. Give a file with an audio track.")
        stream = container.streams.audio[0]
        if stream.codec_context is None:
            raise UnsupportedInput(f"{file.name} has sound in a codec that FFmpeg does not know. Convert it first.")
        rate = check_rate(stream.rate, f"{file.name} is damaged: its sample rate")
        if not 0 < stream.channels <= MOST_CHANNELS:
            raise UnsupportedInput(f"{file.name} claims {stream.channels} channels; 1 to {MOST_CHANNELS} are taken.")
    except BaseException:
        container.close()
        raise
    length = container.duration  # in microseconds; None where it is not known
    declared = length / 1e6 if length and length > 0 else None
    return FfmpegDecoder(
        file.name, file.form.name, rate, stream.channels, declared, file.size, file, window, container, av
    )


def _columns(frame: Any) -> NDArray[np.float32]:
    """A frame's samples as float32 [n, channels]. Planar ones come as [channels, n], others as [1, n · channels]."""
    samples = frame.to_ndarray()
    return as_float(samples.T if frame.format.is_planar else samples.reshape(frame.samples, -1))


def _refused(url: str, flags: int, options: dict[str, str]) -> Any:
    """A file that names others does not get them."""
    raise PermissionError(f"{url!r} is not opened")
