"""Sound as it travels: a run of samples, and where in its stream it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["AudioFrame"]


@attrs.frozen(eq=False)
class AudioFrame:
    """A run of samples of one channel."""

    samples: NDArray[np.float32]
    """float32 [n], from -1 to 1."""
    rate: int
    """Samples a second."""
    start: int = 0
    """How many samples of the stream come before it."""

    @property
    def end(self) -> int:
        """How many samples of the stream are over when it is."""
        return self.start + len(self.samples)

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate
