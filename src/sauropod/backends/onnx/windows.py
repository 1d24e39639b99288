"""Frames of a stream, computed in windows that lie where the stream's beginning puts them.

A detector that looks both ways (MarbleNet) cannot go on from a state: it is run on a window around the frames that are
wanted. So that these do not depend on the pieces in which samples come in, windows and the pieces of sound from which
features are computed lie on a grid that is counted from the stream's first sample, and each is computed alone:

    samples   ------------------------------------------------------------>
    features  one for each 160 samples, each computed once and kept
    window    [   behind: 48 frames   | hop: 4 | ahead: 4 ]
    given                               ^^^^^^ probabilities

A frame of 20 ms is told 80 to 140 ms after it is over: `ahead`, and up to three frames of waiting for its hop. Waiting
less costs more, since every hop is a run of the graph on the whole window; seeing less says less. At the beginning
windows are shorter, as there is nothing behind, and the last is as long as what is left; both depend on the stream's
length alone.

NVIDIA's MarbleNet looks 1.4 s to either side. On synthetic speech its frames were right as often with these windows as
on the whole clip (98.2 % and 98.1 %); with half as much ahead or behind it was 97.0 %.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Pending", "Windows"]

Samples: TypeAlias = NDArray[np.float32]

HOP = 160
"""Samples from one feature to the next."""
MARGIN = 2
"""Features at the edges of a piece that saw what is not there: a transform of 512 samples reaches 256 to each side."""


@attrs.frozen(eq=False)
class Pending:
    """What is kept between two pieces of a stream."""

    samples: Samples
    """float32 [n]: those that will be needed again."""
    start: int
    """The first of them, counted from the stream's beginning."""
    features: NDArray[np.float32]
    """float32 [F, k]: those that will be needed again."""
    first: int
    """The first of them, counted likewise."""
    given: int
    """Frames whose probabilities have been given."""


@attrs.frozen(eq=False)
class Windows:
    """Goes through streams; what is kept of each is a `Pending`.

    `front` computes features, float32 [n] to [F, at least n / 160]; `network` the probabilities of a window, float32
    [F, t] to [⌈t / stride⌉]. Both are only ever given one stream at a time.
    """

    front: Callable[[Samples], NDArray[np.float32]]
    network: Callable[[NDArray[np.float32]], NDArray[np.float32]]
    stride: int = 2
    """Features in a frame."""
    hop: int = 4
    """Frames that a window tells."""
    behind: int = 48
    """Frames a window sees before those, at most."""
    ahead: int = 4
    """Frames a window sees after those."""

    @property
    def frame(self) -> int:
        """Samples in a frame."""
        return self.stride * HOP

    def go_on(self, pending: Pending | None, samples: Samples, last: bool) -> tuple[NDArray[np.float32], Pending]:
        """The probabilities that have become certain, and what to keep. With `last`, all that are missing."""
        kept = pending or Pending(np.zeros(0, np.float32), 0, np.zeros((0, 0), np.float32), 0, 0)
        end = kept.start + len(kept.samples) + len(samples)
        missing = -end % self.frame if last else 0
        every = np.concatenate([kept.samples, samples, np.zeros(missing, np.float32)])
        kept = Pending(every, kept.start, kept.features, kept.first, kept.given)
        found, end = [], end + missing
        while (kept.given + self.hop + self.ahead) * self.frame <= end:
            until = (kept.given + self.hop + self.ahead) * self.stride - 1
            told, kept = self._window(kept, until=until, give=self.hop)
            found.append(told)
        if last and kept.given < end // self.frame:
            told, kept = self._window(kept, until=end // HOP, give=end // self.frame - kept.given, last=True)
            found.append(told)
        if not found:
            return np.zeros(0, np.float32), kept
        # copies, so that what was before is not kept with them
        return np.concatenate(found), attrs.evolve(kept, samples=kept.samples.copy(), features=kept.features.copy())

    def _window(
        self, kept: Pending, *, until: int, give: int, last: bool = False
    ) -> tuple[NDArray[np.float32], Pending]:
        """The next `give` frames, told from features up to `until`."""
        features = self._features(kept, until, last)
        begin = max(0, kept.given - self.behind) * self.stride
        probabilities = self.network(features[:, begin - kept.first :])
        skipped = kept.given - begin // self.stride
        given = kept.given + give
        first = max(kept.first, (given - self.behind) * self.stride)
        start = max(kept.start, (until - MARGIN) * HOP)
        after = Pending(kept.samples[start - kept.start :], start, features[:, first - kept.first :], first, given)
        return probabilities[skipped : skipped + give], after

    def _features(self, kept: Pending, until: int, last: bool) -> NDArray[np.float32]:
        """Those that were kept, and the next up to `until`."""
        known = kept.first + kept.features.shape[1]
        begin = max(0, known - MARGIN)
        end = until * HOP if last else (until + 1) * HOP
        piece = self.front(kept.samples[begin * HOP - kept.start : end - kept.start])
        fresh = piece[:, known - begin : until - begin]
        return np.concatenate([kept.features, fresh], axis=1) if kept.features.shape[0] else fresh
