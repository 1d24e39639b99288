"""How many tokens fit into a step of a given length, learned from the steps there were."""

from __future__ import annotations

import attrs

__all__ = ["Pace"]

SMALLEST = 32
"""Tokens. A step of fewer would not use the hardware's width."""


@attrs.define
class Pace:
    """The speed of steps that compute prompts, as a moving average. Starts out unknown."""

    tokens_per_second: float | None = None

    def record(self, tokens: int, seconds: float) -> None:
        """Learn from one step. Steps too small to tell anything are left out."""
        if tokens < SMALLEST or seconds <= 0:
            return
        speed = tokens / seconds
        self.tokens_per_second = speed if self.tokens_per_second is None else 0.7 * self.tokens_per_second + 0.3 * speed

    def budget(self, seconds: float, most: int) -> int:
        """The tokens a step of `seconds` can compute; at least enough to be worth a step, at most `most`."""
        if self.tokens_per_second is None:
            return most
        return max(min(SMALLEST, most), min(most, int(self.tokens_per_second * seconds)))
