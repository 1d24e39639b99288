"""Samples into files, and into streams that have no end yet."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, BinaryIO

import attrs

from sauropod._audio.encoded import shown
from sauropod._audio.formats import AudioFormat, check_format, format_of, written_rate
from sauropod._audio.samples import check_rate, one_channel
from sauropod._audio.writers import Outgoing, Sink, Writer, open_writer
from sauropod._speech.resampler import Resampler
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["AudioEncoder", "encode_audio", "write_audio"]


@attrs.define(eq=False)
class _Pen:
    """Takes samples at any rate, and writes them at one that the format has."""

    format: AudioFormat
    rate: int
    _writer: Writer
    _resampler: Resampler
    _count: int = 0

    def write(self, samples: Any) -> None:
        import numpy as np

        channel = one_channel(samples, self.rate, self._count)
        self._count += len(channel)
        self._writer.write(np.clip(self._resampler.feed(channel), -1, 1))

    def close(self) -> None:
        import numpy as np

        self._writer.write(np.clip(self._resampler.finish(), -1, 1))
        self._writer.close()

    def give_up(self) -> None:
        """The library writes what it still holds when it is closed, so that has to be before the file is."""
        with contextlib.suppress(Exception):
            self._writer.close()


def _pen(format: str, rate: int, sink: Sink) -> _Pen:
    chosen, rate = check_format(format), check_rate(rate)
    written = written_rate(chosen, rate)
    return _Pen(chosen, rate, open_writer(chosen, sink, written), Resampler(rate, written))


@attrs.define(eq=False)
class AudioEncoder:
    """Audio that is sent off while it is made: the bytes of all calls, one after the other, are the file.

    A WAV header says that the length is not known, since nobody can go back to it; MP3 begins with a silent frame for
    the same reason. What has been fed may come out with a later call: PCM and WAV at once, MP3, Opus and AAC after
    about a tenth of a second of audio, FLAC after 4,096 samples, Vorbis after some seconds. Raises `UnsupportedInput`
    for a format or rate that there is not, and `BackendNotFound` where a library is missing.
    """

    format: AudioFormat
    """See `AudioFormat`."""
    rate: int
    """Samples a second of what is fed. A format that has no such rate is given the next higher one it has."""
    _sink: Outgoing = attrs.field(init=False, factory=Outgoing)
    _pen: _Pen | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._pen = _pen(self.format, self.rate, self._sink)

    def feed(self, samples: NDArray[Any]) -> bytes:
        """Take in the next samples, float [n] or integers, as `read_audio` does. What is louder than ±1 is clipped."""
        if self._pen is None:
            raise UnsupportedInput("This AudioEncoder has been finished. Make a new one for the next stream.")
        self._pen.write(samples)
        return self._sink.take()

    def finish(self) -> bytes:
        """The rest: nothing more will come."""
        pen, self._pen = self._pen, None
        if pen is not None:
            pen.close()
        return self._sink.take()


def encode_audio(samples: NDArray[Any], rate: int, format: AudioFormat) -> bytes:
    """The bytes of a whole file, its length in its header. See `AudioEncoder` for what is taken and raised."""
    sink = io.BytesIO()
    _write(sink, [samples], rate, format)
    return sink.getvalue()


def write_audio(
    path: str | os.PathLike[str],
    samples: NDArray[Any] | Iterable[NDArray[Any]],
    rate: int,
    *,
    format: AudioFormat | None = None,
) -> None:
    """Write a file: an array, or arrays as they come. The format is that of the path's ending, unless it is given.

    A file that is there is replaced once the new one is complete; if anything fails it stays as it was. Also raises
    `UnsupportedInput` where the file cannot be written.
    """
    target = os.fsdecode(path)
    chosen = format_of(target) if format is None else check_format(format)
    pieces: Iterable[Any] = [samples] if hasattr(samples, "__array__") else samples
    try:
        if _is_special(target):
            _send(target, pieces, rate, chosen)
        else:
            _replace(os.path.realpath(target), pieces, rate, chosen)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UnsupportedInput(f"{shown(target)} could not be written: {reason}. Choose another place.") from error


def _write(sink: Sink, pieces: Iterable[Any], rate: int, format: AudioFormat) -> None:
    pen = _pen(format, rate, sink)
    try:
        for piece in pieces:
            pen.write(piece)
        pen.close()
    except BaseException:
        pen.give_up()
        raise


def _is_special(target: str) -> bool:
    """A pipe or a device: it is written to, not replaced."""
    try:
        mode = os.stat(target).st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _send(target: str, pieces: Iterable[Any], rate: int, format: AudioFormat) -> None:
    encoder = AudioEncoder(format, rate)
    with open(target, "wb") as file:
        for piece in pieces:
            file.write(encoder.feed(piece))
            file.flush()
        file.write(encoder.finish())


def _replace(target: str, pieces: Iterable[Any], rate: int, format: AudioFormat) -> None:
    if os.path.isdir(target):
        raise UnsupportedInput(f"{shown(target)} is a directory. Name the file to be written.")
    part = f"{target}.{os.getpid()}.part"
    try:
        with open(part, "xb") as file:
            sink = _Guarded(file)
            _write(sink, sink.checked(pieces), rate, format)
            sink.check()
        os.replace(part, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(part)
        raise


@attrs.define(eq=False)
class _Guarded:
    """A file whose failures, such as a full disk, are kept: libsndfile calls it from C, where none can be raised."""

    _file: BinaryIO
    _failure: BaseException | None = None

    def checked(self, pieces: Iterable[Any]) -> Iterable[Any]:
        """The same, ending with the failure where writing one of them failed."""
        for piece in pieces:
            yield piece
            self.check()

    def check(self) -> None:
        self._file.flush()
        if self._failure is not None:
            raise self._failure

    def write(self, data: bytes, /) -> int:
        try:
            self._file.write(data)
        except BaseException as error:
            self._failure = error
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, count: int) -> bytes:
        return b""
