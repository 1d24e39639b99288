"""A WAV file's header, as far as it tells whether the file is sound, and all there."""

from __future__ import annotations

import struct

import attrs

from sauropod._audio.encoded import EncodedFile

__all__ = ["WaveHeader", "wave_header"]

MOST_CHUNKS = 1_000
UNKNOWN = 0x7FFF_F000
"""Who does not know the size beforehand writes the largest one, or nearly."""


@attrs.frozen
class WaveHeader:
    """What two chunks of it say (Microsoft and IBM, Multimedia Programming Interface, 1991)."""

    channels: int
    rate: int
    size_at: int
    """The place of the four bytes that say how many bytes of samples there are."""
    declared: int
    held: int
    """How many there are at most."""
    unfinished: bool
    """Whether the sizes were to be written at the end, and never were."""

    @property
    def missing(self) -> int:
        """Bytes of samples that were promised and are not there."""
        return max(self.declared - self.held, 0) if self.declared < UNKNOWN else 0


def wave_header(file: EncodedFile) -> WaveHeader | None:
    """The header of a little-endian WAV file, or None: then nothing is known."""
    head = file.read_at(0, 12)
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    whole, at = int(struct.unpack_from("<I", head, 4)[0]) + 8, 12
    channels = rate = 0
    for _ in range(MOST_CHUNKS):
        chunk = file.read_at(at, 16)
        if len(chunk) < 8:
            return None
        size = int(struct.unpack_from("<I", chunk, 4)[0])
        if chunk[:4] == b"fmt " and len(chunk) == 16:
            channels, rate = (int(number) for number in struct.unpack_from("<HI", chunk, 10))
        if chunk[:4] == b"data":
            held = file.size - at - 8
            return WaveHeader(channels, rate, at + 4, size, held, size == 0 < held and whole < file.size)
        at += 8 + size + size % 2
    return None
