"""The kinds of audio that are written."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

from sauropod.errors import UnsupportedInput

__all__ = ["FORMATS", "MEDIA_TYPES", "AudioFormat", "check_format", "format_of", "written_rate"]

AudioFormat: TypeAlias = Literal["wav", "flac", "mp3", "opus", "ogg", "aac", "pcm"]
"""`wav`: 16 bits; `flac`: 16 bits, lossless; `mp3`; `opus`: Opus in Ogg; `ogg`: Vorbis in Ogg; `aac`: AAC-LC in ADTS,
with the extra `av`; `pcm`: 16-bit little-endian samples and nothing else."""

FORMATS: tuple[AudioFormat, ...] = get_args(AudioFormat)

MEDIA_TYPES: dict[AudioFormat, str] = {
    "wav": "audio/wav",
    "flac": "audio/flac",
    "mp3": "audio/mpeg",
    "opus": "audio/ogg; codecs=opus",
    "ogg": "audio/ogg",
    "aac": "audio/aac",
    "pcm": "audio/pcm",
}

SUFFIXES: dict[str, AudioFormat] = {
    ".wav": "wav",
    ".flac": "flac",
    ".mp3": "mp3",
    ".opus": "opus",
    ".ogg": "ogg",
    ".oga": "ogg",
    ".aac": "aac",
    ".pcm": "pcm",
    ".raw": "pcm",
}

MPEG = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
RATES: dict[AudioFormat, tuple[int, ...]] = {"mp3": MPEG, "aac": MPEG, "opus": (8000, 12000, 16000, 24000, 48000)}
"""Where a format takes no others."""
HIGHEST: dict[AudioFormat, int] = {"ogg": 48_000, "flac": 192_000}
"""libvorbis brings the process down at rates somewhat higher than 192,000; nothing is gained beyond 48,000."""


def written_rate(format: AudioFormat, rate: int) -> int:
    """The sample rate in the file: `rate` where the format has it, else the next higher one, else its highest."""
    if format in RATES:
        return next((each for each in RATES[format] if each >= rate), RATES[format][-1])
    return min(rate, HIGHEST.get(format, rate))


def check_format(format: str) -> AudioFormat:
    for each in FORMATS:
        if each == format:
            return each
    raise UnsupportedInput(f"The audio format must be one of {', '.join(FORMATS)}; got {format!r}.")


def format_of(path: str) -> AudioFormat:
    """By its ending."""
    for suffix, format in SUFFIXES.items():
        if path.lower().endswith(suffix):
            return format
    raise UnsupportedInput(
        f"{path} has no ending that tells the audio format. End it with {', '.join(SUFFIXES)}, or name the format."
    )
