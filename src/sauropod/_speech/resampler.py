"""Another sample rate, while the audio comes in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from sauropod.errors import BackendNotFound, UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["HIGHEST_RATE", "LOWEST_RATE", "Resampler"]

LOWEST_RATE = 1_000
HIGHEST_RATE = 768_000
"""Samples a second. Nothing that records or plays sound is outside of these; a damaged header often is."""


@attrs.define(eq=False)
class Resampler:
    """Turns samples at one rate into samples at another, by soxr's HQ recipe (20 bits, pass band to 0.91 of Nyquist).

    What comes out does not depend on how it is cut up going in: every split gives the very same samples. Of `n`
    samples in all, `floor(n · to_rate / from_rate + 1/2)` come out. They are aligned: the sample at second t is at
    second t, for the filter's delay is left out at the beginning and made up for by `finish()`. Until then up to a few
    hundred samples are held back, between 5 and 80 ms for the rates of speech. With equal rates it is the identity.
    """

    from_rate: int = attrs.field()
    """Samples a second going in."""
    to_rate: int = attrs.field()
    """Samples a second coming out."""
    _stream: Any = attrs.field(init=False)
    _finished: bool = attrs.field(init=False, default=False)

    @from_rate.validator
    @to_rate.validator
    def _check(self, attribute: attrs.Attribute[int], value: int) -> None:
        if isinstance(value, bool) or not isinstance(value, int) or not LOWEST_RATE <= value <= HIGHEST_RATE:
            raise UnsupportedInput(
                f"{attribute.name} must be a whole number of samples a second, from {LOWEST_RATE:,} to "
                f"{HIGHEST_RATE:,}; got {value!r}."
            )

    def __attrs_post_init__(self) -> None:
        self._stream = None if self.from_rate == self.to_rate else _stream(self.from_rate, self.to_rate)

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the next samples, float32 [n]. Gives back those that are certain now, float32 [m]; m may be 0."""
        return self._take(samples, last=False)

    def finish(self) -> NDArray[np.float32]:
        """The rest: nothing more will come."""
        import numpy as np

        rest = self._take(np.zeros(0, np.float32), last=True)
        self._finished = True
        return rest

    def _take(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        import numpy as np

        if self._finished:
            raise UnsupportedInput("This Resampler has been finished. Make a new one for the next stream.")
        samples = np.ascontiguousarray(samples, np.float32)
        if samples.ndim != 1:
            raise UnsupportedInput(f"A Resampler takes one channel, [n]; got an array of shape {samples.shape}.")
        if self._stream is None:
            return samples
        result: NDArray[np.float32] = self._stream.resample_chunk(samples, last=last)
        return result


def _stream(from_rate: int, to_rate: int) -> Any:
    try:
        import soxr
    except ImportError as error:
        raise BackendNotFound(
            f"Going from {from_rate:,} to {to_rate:,} samples a second takes soxr. Install it: pip install "
            '"sauropod[speech]"'
        ) from error
    return soxr.ResampleStream(from_rate, to_rate, 1, dtype="float32", quality="HQ")
