"""How much audio is taken in at most."""

from __future__ import annotations

import attrs

from sauropod._values.checks import integer, number
from sauropod.errors import UnsupportedInput

__all__ = ["AudioLimits"]


@attrs.frozen(kw_only=True)
class AudioLimits:
    """What is decoded at most. The defaults suit one's own files; a server that takes uploads wants to set lower ones.

    They are held to while decoding, whatever a file says of itself.
    """

    max_seconds: float = attrs.field(
        default=24 * 3600.0, validator=number(UnsupportedInput, 0.001, 1e9, optional=False)
    )
    """Of audio, however it is given."""
    max_bytes: int = attrs.field(default=8 << 30, validator=integer(UnsupportedInput, 1, 1 << 60, optional=False))
    """Of an encoded file."""
    max_expansion: float = attrs.field(default=2_000.0, validator=number(UnsupportedInput, 1, 1e9, optional=False))
    """Bytes of 16-bit samples for each byte of an encoded file, looked at from 64 MiB of samples on. Speech in Opus at
    6 kbit/s comes to 130. Digital silence comes to 420 in Opus, and in FLAC to 700 with one channel, 1,800 with six."""
