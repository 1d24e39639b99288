"""Samples into the bytes of one kind of file."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

import attrs

from sauropod._audio.formats import AudioFormat
from sauropod._audio.libraries import load_av, load_soundfile
from sauropod._audio.sndfile import sound_file
from sauropod._speech.g711 import to_int16

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Outgoing", "Sink", "Writer", "open_writer"]

UNKNOWN = 0xFFFF_FFFF
"""The size of what has no end yet."""
PIECE = 1 << 16
"""Samples that libsndfile is given at once: libvorbis keeps them all on the stack."""
QUALITY = 0.5
"""Of MP3: a constant 80 kbit/s up to 24,000 samples a second, 160 above. Speech in one channel does not gain from more.
Constant, since readers that find no table of frames take all to be as long as the first."""
PAGE = 100.0
"""Milliseconds of Opus in a page, which is what a listener waits for. libsndfile's own choice is a second."""
SET_OGG_PAGE_LATENCY_MS = 0x1302
"""sndfile.h, since 1.2.0."""


class Sink(Protocol):
    """Where a writer's bytes go. Writers go back to the beginning to say how long it all became."""

    def write(self, data: bytes, /) -> int: ...
    def seek(self, offset: int, whence: int = 0, /) -> int: ...
    def tell(self) -> int: ...


class Writer(Protocol):
    """Takes float32 [n], one channel within ±1."""

    def write(self, samples: NDArray[np.float32]) -> None: ...
    def close(self) -> None: ...


@attrs.define(eq=False)
class Outgoing:
    """A sink for what is sent off as it comes: what is written once stays. See `Sink`."""

    _waiting: bytearray = attrs.field(factory=bytearray)
    _end: int = 0
    _at: int = 0

    def take(self) -> bytes:
        """What came since the last time."""
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken

    def write(self, data: bytes, /) -> int:
        new = bytes(data)[max(self._end - self._at, 0) :]
        self._waiting += new
        self._end += len(new)
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        self._at = (0, self._at, self._end)[whence] + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def read(self, count: int) -> bytes:
        """There is nothing to be read; libsndfile wants to know that it could."""
        return b""


def open_writer(format: AudioFormat, sink: Sink, rate: int) -> Writer:
    """`rate` is one that the format has."""
    writers: dict[AudioFormat, Callable[[Sink, int], Writer]] = {
        "wav": _WavWriter,
        "pcm": _PcmWriter,
        "flac": lambda sink, rate: _SndfileWriter(_open_sndfile(sink, rate, "FLAC", "PCM_16")),
        "mp3": lambda sink, rate: _SndfileWriter(_open_mp3(sink, rate)),
        "opus": lambda sink, rate: _SndfileWriter(_open_opus(sink, rate)),
        "ogg": lambda sink, rate: _SndfileWriter(_open_sndfile(sink, rate, "OGG", "VORBIS")),
        "aac": _open_aac,
    }
    return writers[format](sink, rate)


@attrs.define(eq=False)
class _PcmWriter:
    _sink: Sink
    _rate: int
    _size: int = 0

    def write(self, samples: NDArray[np.float32]) -> None:
        self._sink.write(to_int16(samples).astype("<i2", copy=False).tobytes())
        self._size += 2 * len(samples)

    def close(self) -> None:
        pass


@attrs.define(eq=False)
class _WavWriter(_PcmWriter):
    """The sizes say that the end is not known, until it is. They stay like that beyond 4 GiB."""

    def __attrs_post_init__(self) -> None:
        self._sink.write(_wav_header(self._rate, UNKNOWN))

    def close(self) -> None:
        if self._size + 36 < UNKNOWN:
            self._sink.seek(0)
            self._sink.write(_wav_header(self._rate, self._size))


def _wav_header(rate: int, size: int) -> bytes:
    """44 bytes: 16-bit samples of one channel, `size` bytes of them."""
    form = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    whole = min(size + 36, UNKNOWN)
    return b"RIFF" + struct.pack("<I", whole) + b"WAVEfmt " + form + b"data" + struct.pack("<I", size)


@attrs.define(eq=False)
class _SndfileWriter:
    """FLAC's samples become integers in libsndfile, as `to_int16` does it: rounded, and clipped."""

    _sound: Any

    def write(self, samples: NDArray[np.float32]) -> None:
        for begin in range(0, len(samples), PIECE):
            self._sound.write(samples[begin : begin + PIECE])

    def close(self) -> None:
        self._sound.close()


def _open_sndfile(sink: Sink, rate: int, format: str, subtype: str, **options: Any) -> Any:
    load_soundfile(f"Writing {format} audio")
    return sound_file()(sink, "w", rate, 1, subtype, format=format, **options)


def _open_mp3(sink: Sink, rate: int) -> Any:
    return _open_sndfile(
        sink, rate, "MP3", "MPEG_LAYER_III", bitrate_mode="CONSTANT", compression_level=QUALITY
    )  # fmt: skip


def _open_opus(sink: Sink, rate: int) -> Any:
    sound = _open_sndfile(sink, rate, "OGG", "OPUS")
    try:  # soundfile has no name for it; without, a listener only waits longer
        import soundfile

        soundfile._snd.sf_command(sound._file, SET_OGG_PAGE_LATENCY_MS, soundfile._ffi.new("double*", PAGE), 8)
    except AttributeError:
        pass
    return sound


@attrs.define(eq=False)
class _AacWriter:
    _av: Any
    _container: Any
    _stream: Any
    _rate: int
    _waiting: list[NDArray[np.float32]] = attrs.field(factory=list)
    _written: int = 0

    def write(self, samples: NDArray[np.float32]) -> None:
        import numpy as np

        length = self._stream.codec_context.frame_size
        waiting = np.concatenate([*self._waiting, samples])
        whole = len(waiting) // length * length
        for begin in range(0, whole, length):
            self._encode(waiting[begin : begin + length])
        self._waiting = [waiting[whole:]]

    def close(self) -> None:
        for rest in self._waiting:
            if len(rest):
                self._encode(rest)
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def _encode(self, samples: NDArray[np.float32]) -> None:
        frame = self._av.AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts = self._rate, self._written
        self._written += len(samples)
        self._container.mux(self._stream.encode(frame))


def _open_aac(sink: Sink, rate: int) -> Writer:
    av = load_av("Writing AAC audio")
    container = av.open(sink, "w", format="adts")
    stream = container.add_stream("aac", rate=rate)
    stream.layout = "mono"
    stream.bit_rate = 64_000 if rate <= 24_000 else 96_000
    stream.codec_context.open()  # it is not known before how many samples a frame has
    return _AacWriter(av, container, stream, rate)
