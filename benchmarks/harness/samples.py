"""Figures of the same thing, one for each round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence

import attrs

__all__ = ["Samples", "percentile"]


def _floats(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(values)


@attrs.frozen
class Samples:
    """What the rounds gave, in their order. At least one."""

    values: Sequence[float] = attrs.field(converter=_floats)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    def over(self, others: Samples) -> Samples:
        """The ratio in each round: rounds are near in time, so what slowed the machine down slowed both sides."""
        return Samples(ours / theirs for ours, theirs in zip(self.values, others.values, strict=True) if theirs)


def percentile(values: Iterable[float], share: float) -> float:
    """The smallest value that at least `share` of all values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
