"""Formats: how sound travels in messages, and how it becomes samples. PURE: what is heard before is kept, no more."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, TypeAlias

import attrs
from msgspec import Struct

from sauropod import AudioFrame
from sauropod._speech import g711
from sauropod._speech.resampler import Resampler
from sauropod.server.problems import Problem, invalid

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "LONGEST",
    "Alaw",
    "Format",
    "Incoming",
    "Mulaw",
    "Outgoing",
    "Pcm",
    "Waveform",
    "base64_of",
    "whole_audio",
    "written_audio",
]

LONGEST = 15 * 1024 * 1024
"""Bytes of sound in one message."""

Waveform: TypeAlias = "NDArray[np.float32]"


class Pcm(Struct, tag="audio/pcm", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """16 bits a sample, little endian, one channel."""

    rate: int = 24_000


class Mulaw(Struct, tag="audio/pcmu", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """G.711 µ-law."""

    @property
    def rate(self) -> int:
        return 8_000


class Alaw(Struct, tag="audio/pcma", tag_field="type", frozen=True, forbid_unknown_fields=True):
    """G.711 A-law."""

    @property
    def rate(self) -> int:
        return 8_000


Format: TypeAlias = Pcm | Mulaw | Alaw


def base64_of(samples: Waveform, form: Format) -> str:
    """Samples at the format's rate, as they are sent."""
    return base64.b64encode(_bytes(samples, form)).decode("ascii")


@attrs.define(eq=False)
class Incoming:
    """The user's sound. It comes out at the rate at which it began, whatever the format becomes."""

    _rate: int | None = None
    _resampler: Resampler | None = None
    _half: bytes = b""
    """The first byte of a sample whose second has not come yet."""

    def feed(self, audio: str, form: Format) -> AudioFrame | None:
        """What a message brings; None if that is less than a sample. Raises `Problem`."""
        samples = self._samples(_decoded(audio, "audio"), form)
        if self._rate is None:
            self._rate = form.rate
        if form.rate != self._rate:
            if self._resampler is None or self._resampler.from_rate != form.rate:
                self._resampler = Resampler(form.rate, self._rate)
            samples = self._resampler.feed(samples)
        return AudioFrame(samples, self._rate) if len(samples) else None

    def clear(self) -> None:
        """What is dropped has no second half."""
        self._half = b""

    def _samples(self, data: bytes, form: Format) -> Waveform:
        if not isinstance(form, Pcm):
            self._half = b""
            return _floats(data, form)
        data = self._half + data
        whole = len(data) // 2 * 2
        self._half = data[whole:]
        return _floats(data[:whole], form)


@attrs.define(eq=False)
class Outgoing:
    """The sound of one item, as it is sent."""

    form: Format
    _resampler: Resampler | None = None

    def feed(self, samples: Waveform, rate: int) -> str:
        """In base64; may be empty."""
        if self._resampler is None:
            self._resampler = Resampler(rate, self.form.rate)
        return base64_of(self._resampler.feed(samples), self.form)

    def finish(self) -> str:
        """What was held back."""
        resampler, self._resampler = self._resampler, None
        return "" if resampler is None else base64_of(resampler.finish(), self.form)


def whole_audio(audio: str, form: Format, param: str) -> AudioFrame:
    """The sound of an item. Raises `Problem`."""
    data = _decoded(audio, param)
    samples = _floats(data[: len(data) // 2 * 2] if isinstance(form, Pcm) else data, form)
    if not len(samples):
        raise invalid(f"'{param}' is empty. Send audio, or a text.", param, "invalid_value")
    return AudioFrame(samples, form.rate)


def written_audio(frame: AudioFrame, form: Format) -> str:
    """Sound at any rate, in base64."""
    outgoing = Outgoing(form)
    whole = base64.b64decode(outgoing.feed(frame.samples, frame.rate)) + base64.b64decode(outgoing.finish())
    return base64.b64encode(whole).decode("ascii")


def _decoded(audio: str, param: str) -> bytes:
    if len(audio) > LONGEST * 4 / 3 + 4:
        raise Problem(
            413,
            f"'{param}' is longer than {LONGEST:,} bytes. Send it in parts.",
            code="string_above_max_length",
            param=param,
        )
    try:
        return base64.b64decode(audio, validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"'{param}' is not base64: {error}.", param, "invalid_value") from None


def _floats(data: bytes, form: Format) -> Waveform:
    import numpy as np

    match form:
        case Pcm():
            return g711.from_int16(np.frombuffer(data, "<i2").astype(np.int16))
        case Mulaw():
            return g711.decode(data, "mulaw")
        case Alaw():
            return g711.decode(data, "alaw")


def _bytes(samples: Waveform, form: Format) -> bytes:
    match form:
        case Pcm():
            data: bytes = g711.to_int16(samples).astype("<i2").tobytes()
            return data
        case Mulaw():
            return g711.encode(samples, "mulaw")
        case Alaw():
            return g711.encode(samples, "alaw")
