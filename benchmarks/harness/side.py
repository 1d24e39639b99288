"""A side of a comparison: something that answers questions, ours or a peer's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import attrs

__all__ = ["Ask", "Reading", "Side", "WrongAnswer"]


class WrongAnswer(Exception):
    """A side did not do the work it was asked to do, so its time means nothing."""


@attrs.frozen
class Ask:
    """A request both sides get: a conversation of (role, text), and how many tokens to write, no more and no fewer.

    Tokens are chosen greedily; `bias` is added to the logits of these tokens first. With a `schema` the answer is JSON
    under it, which ends by itself, and `tokens` is how long it may be.
    """

    messages: Sequence[tuple[str, str]]
    tokens: int
    bias: Mapping[int, float] = attrs.field(factory=dict)
    schema: Mapping[str, Any] | None = None

    @property
    def exactly(self) -> int | None:
        """How many tokens the answer has to have; None if it ends by itself."""
        return self.tokens if self.schema is None else None


@attrs.frozen
class Reading:
    """What a client saw of one answer. Times in seconds after it had asked."""

    text: str
    arrivals: Sequence[float]
    """When each piece of text came."""
    prompt_tokens: int
    cached_tokens: int
    """How many of the prompt's tokens were not computed, because they had been before."""
    tokens: int
    queued: float = 0.0
    """How long the request waited for a slot, where the side says so."""

    @property
    def first(self) -> float:
        """Time to first token."""
        return self.arrivals[0]

    @property
    def last(self) -> float:
        return self.arrivals[-1]

    @property
    def gaps(self) -> Sequence[float]:
        """Between pieces."""
        return [after - before for before, after in pairwise(self.arrivals)]

    def checked(self, tokens: int | None) -> Reading:
        """Itself. Raises `WrongAnswer` unless it has so many tokens; any number for None."""
        if not self.arrivals or tokens not in (None, self.tokens):
            raise WrongAnswer(f"{tokens} tokens were asked for, and {self.tokens} were written.")
        return self


class Side(Protocol):
    """Asked by many clients at once. Cancelling `ask` abandons the request, as a client that goes away does."""

    @property
    def name(self) -> str: ...

    async def ask(self, ask: Ask) -> Reading: ...
