"""The last stretch of a stream of samples, by their place in the whole. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Tape"]


@attrs.define(eq=False)
class Tape:
    """Takes samples at its end, and forgets them from its beginning when it is told to."""

    start: int = 0
    """The first sample that is still there."""
    _blocks: list[NDArray[np.float32]] = attrs.field(factory=list)
    _end: int = 0

    @classmethod
    def beginning(cls, start: int) -> Tape:
        """An empty one, `start` samples into its stream."""
        return cls(start, [], start)

    @property
    def end(self) -> int:
        """How many samples there have been."""
        return self._end

    def append(self, samples: NDArray[np.float32]) -> None:
        """The next samples: float32 [n]. They are copied, for who records often fills the same memory again."""
        if len(samples):
            self._blocks.append(samples.copy())
            self._end += len(samples)

    def forget(self, before: int) -> None:
        """Let go of samples before this one, as far as whole blocks go."""
        while self._blocks and self.start + len(self._blocks[0]) <= before:
            self.start += len(self._blocks.pop(0))

    def samples(self, start: int, end: int) -> NDArray[np.float32]:
        """Those from `start` to before `end` that are there: float32 [n], a copy."""
        import numpy as np

        at, found = self.start, []
        for block in self._blocks:
            if at < end and at + len(block) > start:
                found.append(block[max(0, start - at) : end - at])
            at += len(block)
        return np.concatenate(found) if found else np.zeros(0, np.float32)
