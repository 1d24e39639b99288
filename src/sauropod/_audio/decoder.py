"""What all that gives samples has in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Decoder", "block_length"]


class Decoder(Protocol):
    """Samples at their own rate, block by block. Opening one reads headers, and allocates nothing that they ask for."""

    @property
    def name(self) -> str:
        """What to call it in a sentence."""
        ...

    @property
    def format(self) -> str:
        """The kind of file, such as `"WAV"`."""
        ...

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    @property
    def channels(self) -> int: ...

    @property
    def declared(self) -> float | None:
        """Seconds, by what is said of it; None where nothing is."""
        ...

    @property
    def size(self) -> int | None:
        """Bytes of the encoded file; None where it is none."""
        ...

    @property
    def shortfall(self) -> str | None:
        """Once all has been read: what is missing, as the end of a sentence; None where nothing is."""
        ...

    def blocks(self) -> Iterator[NDArray[np.float32]]:
        """float32 [n, channels], n > 0."""
        ...

    def close(self) -> None:
        """Close what was opened for it. Can be called again."""
        ...


def block_length(rate: int, channels: int) -> int:
    """About a second, and never more than two megabytes."""
    return max(min(rate, 65_536, (1 << 19) // channels), 256)
