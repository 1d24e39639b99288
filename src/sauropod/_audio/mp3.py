"""Where an MP3 file's first frame is, and whether what it says about the rest can be true."""

from __future__ import annotations

import struct

import attrs

from sauropod._audio.encoded import EncodedFile
from sauropod._audio.magic import tag_length

__all__ = ["Beginning", "beginning_of"]

BITRATES = {  # kbit/s of layer III (ISO 11172-3 section 2.4.2.3, ISO 13818-3 section 2.4.2.3)
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
SLACK = 1.05
"""How much longer than it says a file may be, for tags at its end."""


@attrs.frozen
class Beginning:
    """Where to begin reading.

    Without a header that counts the frames, mpg123 takes all to be as long as the first, and libsndfile reads no
    further than that: of files with a variable bit rate it may leave out most. `counted` tells whether there is one.
    """

    at: int
    counted: bool


def beginning_of(file: EncodedFile) -> Beginning:
    """Tags are skipped, and so is a header that counts much less than there is: that of the first of files that were
    simply put together."""
    at = tag_length(file.read_at(0, 10))
    frame = file.read_at(at, 256)
    length, info_at = _frame(frame)
    if not length or frame[info_at : info_at + 4] not in (b"Xing", b"Info"):
        return Beginning(at, counted=length > 0 and frame[36:40] == b"VBRI")
    flags = int.from_bytes(frame[info_at + 4 : info_at + 8], "big")
    if flags & 3 == 3 and len(frame) >= info_at + 16:
        counted = int(struct.unpack_from(">I", frame, info_at + 12)[0])
        if counted * SLACK + 4096 < file.size - at:
            return Beginning(at + length, counted=False)
    return Beginning(at, counted=bool(flags & 1))


def _frame(header: bytes) -> tuple[int, int]:
    """The length of a frame of layer III in bytes, and where in it a Xing header would be. (0, 0) if it is none."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:
        return 0, 0
    version, channels = header[1] >> 3 & 3, 1 if header[3] >> 6 == 3 else 2
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or bitrate in (0, 15) or rate == 3:
        return 0, 0
    full = version == 3
    length = (144 if full else 72) * BITRATES[full][bitrate] * 1000 // RATES[version][rate] + (header[2] >> 1 & 1)
    return length, 4 + ((32, 17) if full else (17, 9))[channels == 1]
