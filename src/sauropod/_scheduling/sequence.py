"""One request inside the scheduler: the tokens it must have computed, and how many are."""

from __future__ import annotations

import attrs

from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority

__all__ = ["Sequence"]


@attrs.define(eq=False)
class Sequence:
    """A request's progress.

    tokens    |-------- prompt --------|-- generated --|
    computed  |-----------------|                         what its slot holds
    pending                     |----------------------|  what the next steps compute
    """

    id: int
    prompt: list[int]
    sampling: SamplingParams
    """Resolved: every field that has a default has a value."""
    priority: Priority = Priority.NORMAL
    arrived: float = 0.0
    afresh: bool = False
    """It wants a cache as empty as the first time, which it gets if nobody else is there."""
    generated: list[int] = attrs.field(factory=list)
    """Not empty from the start for a sequence that is resumed."""

    slot: int | None = None
    computed: int = 0
    cached: int | None = None
    """How many prompt tokens it found already computed when it was first admitted."""
    shared: int = 0
    """How many of its computed tokens belong to another slot as well."""
    cuts: list[int] = attrs.field(factory=list)
    """Lengths at which a chunk must end, because a checkpoint is wanted there; ascending."""
    standing: int = Priority.BACKGROUND
    """The rank with which it got its slot, which only sequences of a higher priority may take from it."""
    waits_for: tuple[Sequence, int] | None = None
    """The sequence that is computing this many tokens of its prompt, which will be copied then."""
    served: float = attrs.field(init=False)
    """When it was last given a chunk."""
    started: float | None = None
    """When it was first given a chunk."""
    fresh: int = attrs.field(init=False)
    """How many tokens it said last: the one chosen, and those forced after it."""
    tokens: list[int] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.fresh = min(1, len(self.generated))
        self.served = self.arrived
        self.tokens = [*self.prompt, *self.generated]

    @property
    def pending(self) -> int:
        return len(self.tokens) - self.computed

    def rank(self, now: float, ageing: float) -> int:
        """Its priority, raised by one for every `ageing` seconds it has not been served."""
        return self.priority - int((now - self.served) / ageing)

    def append(self, token: int) -> None:
        self.generated.append(token)
        self.tokens.append(token)

    def same_kind_until(self, end: int) -> int:
        """Up to where, and at most `end`, what comes next is all text, or all attached."""
        attached = self.tokens[self.computed] < 0
        following = range(self.computed + 1, end)
        return next((at for at in following if (self.tokens[at] < 0) is not attached), end)

    def next_cut(self) -> int | None:
        """The first length beyond what is computed at which a chunk must end."""
        return next((cut for cut in self.cuts if cut > self.computed), None)
