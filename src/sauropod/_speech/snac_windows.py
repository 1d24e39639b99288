"""Windows: which frames of SNAC's codes to decode, and which samples of the result to keep, while codes still come in.

Decoding a frame looks at neighbours up to 4,757 samples away (the sum over the 24 kHz decoder's convolutions), which
is less than three frames of 2,048. So of a window with three frames more on either side the middle is what decoding
all at once gives, up to the rounding of sums: 5e-7 of full scale, measured with the real decoder and random weights.

Where windows meet they are blended over 5 ms, for which those three frames still suffice: some exports add noise that
is drawn afresh in each window, which would click otherwise. Where there is no noise, both are the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["CONTEXT", "FRAME", "RATIOS", "RECEPTIVE_FIELD", "Joined", "Window", "Windows"]

FRAME = 2048
"""Samples of a frame: one code of the coarsest level, two and four of the others."""
RATIOS = (1, 2, 4)
"""Codes of a frame on each level."""
CONTEXT = 3
"""Frames that are decoded on either side of those that are kept."""
RECEPTIVE_FIELD = 4757
"""Samples to either side on which one of them depends."""
OVERLAP = 120
"""Samples over which windows are blended: fewer than `CONTEXT * FRAME - RECEPTIVE_FIELD`."""


@attrs.frozen
class Window:
    """Frames to be decoded together."""

    begin: int
    """The first frame that is decoded."""
    end: int
    """The frame after the last."""
    first: int
    """The first frame that is kept."""
    last: int
    """The frame after the last that is kept."""
    final: bool
    """Whether the sound ends with it."""

    def codes(self, levels: Sequence[NDArray[np.int64]]) -> list[NDArray[np.int64]]:
        """Its part of all codes, level by level."""
        return [level[self.begin * ratio : self.end * ratio] for level, ratio in zip(levels, RATIOS, strict=True)]


@attrs.define(eq=False)
class Windows:
    """Cuts one sound into windows."""

    frames: int = 4
    """How many are kept of a window, at least: the more, the less is computed twice."""
    first_frames: int = 1
    """The same for the first, for which somebody waits."""
    _kept: int = attrs.field(default=0, init=False)

    def next(self, available: int, *, ended: bool) -> Window | None:
        """What to decode now that so many frames are there; None while more have to come, and after the last."""
        certain = available if ended else available - CONTEXT
        wanted = self.frames if self._kept else self.first_frames
        if certain <= self._kept or (not ended and certain - self._kept < wanted):
            return None
        window = Window(
            begin=max(0, self._kept - CONTEXT),
            end=min(available, certain + CONTEXT),
            first=self._kept,
            last=certain,
            final=ended,
        )
        self._kept = certain
        return window


@attrs.define(eq=False)
class Joined:
    """Puts the decoded windows of one sound together."""

    _over: NDArray[np.float32] | None = attrs.field(default=None, init=False)
    """What the window before says of the samples that come next."""

    def add(self, window: Window, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """The samples that are kept: float32 [(last - first)·2048]. `samples` are the whole window's."""
        from sauropod._speech.fades import blend

        first, last = ((each - window.begin) * FRAME for each in (window.first, window.last))
        kept = samples[first:last].copy()
        if self._over is not None:
            length = min(OVERLAP, len(self._over), len(kept))
            kept[:length] = blend(self._over[:length], kept[:length])
        self._over = None if window.final else samples[last : last + OVERLAP].copy()
        return kept
