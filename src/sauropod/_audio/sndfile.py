"""Files that libsndfile reads: WAV, FLAC, MP3, Ogg and more."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import attrs

from sauropod._audio.decoder import block_length
from sauropod._audio.encoded import EncodedFile, Window
from sauropod._audio.mp3 import beginning_of
from sauropod._audio.ogg import has_end
from sauropod._audio.samples import MOST_CHANNELS, check_rate
from sauropod._audio.wave import wave_header
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["SndfileDecoder", "open_sndfile", "sound_file"]

MANY = 1 << 48
"""Frames. What says it has more, in truth does not know."""
TOLERATED = 0.1
"""Seconds that may be missing at the end without a word: encoders pad and trim."""


@attrs.define(eq=False)
class SndfileDecoder:
    """See `Decoder`."""

    name: str
    format: str
    rate: int
    channels: int
    declared: float | None
    size: int | None
    _file: EncodedFile
    _window: Window
    _sound: Any
    _missing: float
    """Seconds that the header promises and the file cannot hold."""
    shortfall: str | None = None

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        import numpy as np

        length, read, failed = block_length(self.rate, self.channels), 0, ""
        while not failed:
            buffer = np.full((length, self.channels), np.nan, np.float32)
            count, failed = self._read_into(buffer)
            if count == 0:
                break
            read += count
            yield buffer[:count]
        self.shortfall = self._judged(read / self.rate, failed)

    def close(self) -> None:
        self._sound.close()
        self._file.close()

    def _read_into(self, buffer: NDArray[np.float32]) -> tuple[int, str]:
        """How many frames were read, and why that is where it ends, if it is."""
        import numpy as np
        import soundfile

        try:
            count = len(self._sound.read(out=buffer))
        except soundfile.LibsndfileError as error:  # how much came before it is not told: what is not NaN any more
            self._window.check()
            return int(np.argmax(np.append(np.isnan(buffer[:, 0]), True))), error.error_string
        self._window.check()
        return count, ""

    def _judged(self, seconds: float, failed: str) -> str | None:
        missing = max(self._missing, (self.declared or 0.0) - seconds)
        if missing > TOLERATED:
            return f"it should be {seconds + missing:,.1f} s long, and ends after {seconds:,.1f} s"
        if failed and not self._window.endless:
            return f"it cannot be decoded further than {seconds:,.1f} s ({failed})"
        if self.format == "Ogg" and not has_end(self._file):
            return f"it has no mark at its end, after {seconds:,.1f} s"
        return None


def open_sndfile(file: EncodedFile, soundfile: Any) -> SndfileDecoder:
    """Raises `soundfile.LibsndfileError` for what cannot be decoded, and `UnsupportedInput` for what is no sound."""
    window, header = Window(file), wave_header(file)
    if header is not None:
        _check(header.rate, header.channels, file.name)
        window.patch = (header.size_at, b"\xff" * 4) if header.unfinished else window.patch
    if file.form.name == "MP3":
        beginning = beginning_of(file)
        window.begin, window.endless = beginning.at, not beginning.counted
    try:
        sound = sound_file()(window)
    finally:
        window.check()
    try:
        _check(sound.samplerate, sound.channels, file.name)
    except BaseException:
        sound.close()
        raise
    seconds = sound.frames / sound.samplerate
    declared = seconds if sound.frames < MANY and not window.endless else None
    missing = header.missing / max(header.held, 1) * seconds if header is not None else 0.0
    return SndfileDecoder(
        file.name, file.form.name, sound.samplerate, sound.channels, declared, file.size, file, window, sound, missing
    )


def _check(rate: int, channels: int, name: str) -> None:
    check_rate(rate, f"{name} is damaged: its sample rate")
    if not 0 < channels <= MOST_CHANNELS:
        raise UnsupportedInput(f"{name} is damaged: it claims {channels:,} channels; 1 to {MOST_CHANNELS} are taken.")


@functools.cache
def sound_file() -> Any:
    """`soundfile.SoundFile` that never seeks.

    The original seeks to where it already is after every block, and an MP3 decoder that seeks begins anew there,
    without the frames before that it needs. With a variable bit rate that garbles the whole file.
    """
    import soundfile

    class SoundFile(soundfile.SoundFile):  # type: ignore[misc, unused-ignore]
        def seekable(self) -> bool:
            return False

    return SoundFile
