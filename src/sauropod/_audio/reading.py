"""Audio from whatever it comes in: a path, the bytes of a file, an array, frames."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from sauropod._audio.decoder import Decoder
from sauropod._audio.encoded import EncodedFile, open_encoded
from sauropod._audio.ffmpeg import open_ffmpeg
from sauropod._audio.given import open_array, open_frames
from sauropod._audio.libraries import has_av, load_av, load_soundfile
from sauropod._audio.limits import AudioLimits
from sauropod._audio.samples import check_rate
from sauropod._audio.sndfile import open_sndfile
from sauropod._audio.stream import AudioStream
from sauropod._values.audio import AudioFrame
from sauropod.errors import BackendNotFound, UnsupportedInput

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

__all__ = ["AudioSource", "is_at_hand", "open_audio", "read_audio"]

AudioSource: TypeAlias = (
    "str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | ArrayLike | tuple[ArrayLike, int] "
    "| Mapping[str, Any] | AudioFrame | Iterable[AudioFrame]"
)
"""What audio is taken from:

- a path, the bytes of a file, or a binary file object, which is read from where it stands and not closed: WAV, FLAC,
  MP3, Ogg with Vorbis or Opus, AIFF, CAF, AU and so on; with the extra `av` also MP4, M4A, WebM, AAC, WMA and so on;
- a NumPy array, or what turns into one, of floats from -1 to 1 or of integers: [n], [n, channels] or [channels, n],
  with its rate as (array, rate), as {"array": array, "sampling_rate": rate}, or by `sample_rate`;
- `AudioFrame`s, all at one rate.

Several channels are mixed to their mean."""

GENEROUS = AudioLimits()
RECIPE = "If other programs play it, convert it with: ffmpeg -i FILE -ar 16000 -ac 1 audio.wav"


def open_audio(
    source: AudioSource, *, rate: int | None = None, sample_rate: int | None = None, limits: AudioLimits = GENEROUS
) -> AudioStream:
    """Read audio of any length, frame by frame, at `rate` samples a second; None leaves it as it is.

    `sample_rate` is that of an array given without one. Raises `UnsupportedInput`, which says what the source is
    instead and what to do, and `BackendNotFound` where a library is missing that reads such files. Audio without one
    sample is an error. Of a damaged file, what can be decoded is given, and a warning is logged.
    """
    wanted = None if rate is None else check_rate(rate, "rate")
    decoder = _decoder(source, sample_rate, limits)
    return AudioStream(wanted or decoder.rate, limits, decoder)


def is_at_hand(source: AudioSource) -> bool:
    """Whether it is an array in memory: reading a second of it takes a fraction of a millisecond and never blocks."""
    import numpy as np

    samples = source[0] if isinstance(source, tuple) and source else source
    return type(samples.samples if isinstance(samples, AudioFrame) else samples) is np.ndarray  # no map of a file


def read_audio(
    source: AudioSource, *, rate: int | None = None, sample_rate: int | None = None, limits: AudioLimits = GENEROUS
) -> AudioFrame:
    """The whole of it, as `open_audio` reads it: float32 [n], n > 0, in an array of its own that may be written to.

    An hour at 16,000 samples a second takes 230 MB.
    """
    import numpy as np

    whole = bytearray()
    with open_audio(source, rate=rate, sample_rate=sample_rate, limits=limits) as stream:
        for frame in stream:
            whole += np.ascontiguousarray(frame.samples).view(np.uint8).data
    return AudioFrame(np.frombuffer(whole, np.float32), stream.rate)


def _decoder(source: Any, sample_rate: int | None, limits: AudioLimits) -> Decoder:
    """Told apart by what it is, never by a name's ending."""
    if isinstance(source, str | os.PathLike | bytes | bytearray | memoryview) or hasattr(source, "read"):
        return _opened(open_encoded(source, limits))
    if isinstance(source, AudioFrame):
        return open_array(source.samples, source.rate)
    if isinstance(source, Mapping) and {"array", "sampling_rate"} <= source.keys():
        return open_array(source["array"], source["sampling_rate"])
    if isinstance(source, tuple) and len(source) == 2 and not isinstance(source[0], AudioFrame):
        samples, rate = reversed(source) if isinstance(source[0], int) else source
        return open_array(samples, rate)
    if hasattr(source, "__array__"):
        return open_array(source, sample_rate)
    if isinstance(source, Iterable) and not isinstance(source, Mapping):
        return open_frames(source)
    asynchronous = " Collect what an async iterable gives first." if isinstance(source, AsyncIterable) else ""
    raise UnsupportedInput(
        "Audio is a path, the bytes of an audio file, a binary file object, (numpy array, sample rate) or AudioFrames; "
        f"got {type(source).__name__}.{asynchronous}"
    )


def _opened(file: EncodedFile) -> Decoder:
    try:
        if not file.form.sndfile:
            return _by_ffmpeg(file)
        return _by_sndfile(file)
    except BaseException:
        file.close()
        raise


def _by_sndfile(file: EncodedFile) -> Decoder:
    """FFmpeg is asked where libsndfile is missing or does not know the codec, and where it is installed."""
    try:
        soundfile = load_soundfile(f"Reading {file.name}, of the kind {file.form.name},")
    except BackendNotFound:
        if file.form.ffmpeg is None or not has_av():
            raise
        return _by_ffmpeg(file)
    try:
        return open_sndfile(file, soundfile)
    except soundfile.LibsndfileError as error:
        if file.form.ffmpeg is None or not has_av():
            raise _undecodable(file) from error
        return _by_ffmpeg(file)


def _by_ffmpeg(file: EncodedFile) -> Decoder:
    av = load_av(f"Reading {file.name}, of the kind {file.form.name},")
    try:
        return open_ffmpeg(file, av)
    except av.FFmpegError as error:
        raise _undecodable(file) from error


def _undecodable(file: EncodedFile) -> UnsupportedInput:
    return UnsupportedInput(
        f"{file.name} begins like a file of the kind {file.form.name}, and cannot be decoded: it is damaged, cut "
        f"short, or holds a codec that is not known here. {RECIPE}"
    )
