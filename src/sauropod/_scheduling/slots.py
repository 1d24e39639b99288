"""Which slot holds which tokens: the prefix cache."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._scheduling.prefix import common_prefix
from sauropod._scheduling.snapshots import Checkpoint, Snapshot, Snapshots
from sauropod.abc import LanguageModel

__all__ = ["Claim", "Slot", "Slots"]

WORTH_KEEPING = 32
"""Tokens. Less than this is computed again sooner than it is saved."""

MOST_CHECKPOINTS = 8
"""For each slot; the oldest but the first goes when there are more."""


@attrs.define(eq=False)
class Slot:
    """A place in the model's cache. `tokens` is what it holds, also after its sequence has gone."""

    index: int
    tokens: list[int] = attrs.field(factory=list)
    checkpoints: list[Checkpoint] = attrs.field(factory=list)
    busy: bool = False
    used: int = 0
    """When it was last claimed or released, in claims."""
    stays: bool = False
    """Idle, and too large to be put away."""


@attrs.frozen
class Claim:
    """A slot taken for a sequence: how many of its tokens it holds already, and how many of these another holds too."""

    slot: Slot
    length: int
    shared: int


@attrs.define(eq=False)
class Slots:
    """All slots of a model, and the snapshots of those that were evicted.

    A claim finds the longest prefix of a sequence that is held anywhere and brings it into a free slot:

        wanted        |-- system --|-- question 1 --|
        free slot     |-- system --|-- question 1 --|                 all of it is wanted: taken over
        any slot      |-- system --|-- question 2 --|-- answer --|    a part: copied, which costs no computing
        snapshot      |-- system --|-- question 1 --|                 brought back from host memory

    It is the only one to call the model's `truncate`, `copy`, `checkpoint`, `save` and `load`, so that what it
    believes and what the model holds never differ.
    """

    model: LanguageModel
    snapshots: Snapshots
    all: list[Slot] = attrs.field(init=False)
    _claims: int = 0

    def __attrs_post_init__(self) -> None:
        self.all = [Slot(index) for index in range(self.model.info.slots)]

    @property
    def free(self) -> list[Slot]:
        return [slot for slot in self.all if not slot.busy]

    def available(self, tokens: list[int], afresh: bool = False) -> int:
        """How much of `tokens` a claim would find computed already."""
        prefix = tokens[:-1]
        return max(self._best_slot(prefix)[1], self._best_snapshot(prefix, afresh)[1])

    def claim(self, tokens: list[int], afresh: bool = False) -> Claim | None:
        """Take a free slot for a sequence, with the longest prefix of `tokens` that can be brought into it.

        At least the last token is left to compute, for the sake of its logits. With `afresh` everything is put away
        first if the model is idle, and no snapshot is used: the sequence, and others that begin like it and come while
        it runs, find the cache as the same request found it before. None if no slot is free.
        """
        free = self.free
        if not free:
            return None
        if afresh and len(free) == len(self.all):
            for slot in free:
                self._clear(slot)
        prefix = tokens[:-1]
        source, length = self._best_slot(prefix)
        snapshot, saved = self._best_snapshot(prefix, afresh)
        if snapshot is not None and saved > length:
            claim = self._restore(snapshot, saved, self._victim(free))
        elif source is None:
            claim = self._empty(self._victim(free))
        elif not source.busy and length == len(source.tokens):
            claim = Claim(source, length, 0)
        else:
            claim = self._share(source, length, self._victim(free))
        self._claims += 1
        claim.slot.busy, claim.slot.used, claim.slot.stays = True, self._claims, False
        return claim

    def release(self, slot: Slot) -> None:
        """The sequence is done; what it computed stays until the room is needed."""
        self._claims += 1
        slot.busy, slot.used = False, self._claims

    def extend(self, slot: Slot, tokens: Sequence[int]) -> None:
        """The model has computed these tokens too."""
        slot.tokens.extend(tokens)

    def restore(self, slot: Slot) -> int:
        """Undo a step that stopped halfway: bring the model back to what the slot is known to hold, or to less."""
        length = self._truncate(slot, len(slot.tokens))
        del slot.tokens[length:]
        return length

    def rewind(self, slot: Slot, length: int) -> int:
        """Forget all but the first `length` tokens, or fewer if the model cannot stop there. What is left."""
        if length < len(slot.tokens):
            length = self._truncate(slot, length)
            del slot.tokens[length:]
            slot.checkpoints = [kept for kept in slot.checkpoints if kept.length <= length]
        return length

    def checkpoint(self, slot: Slot) -> None:
        """Make it possible to come back to what the slot holds now."""
        length = len(slot.tokens)
        if any(kept.length == length for kept in slot.checkpoints):
            return
        state = self.model.checkpoint(slot.index)
        if state is not None:
            slot.checkpoints.append(Checkpoint(length, state))
            del slot.checkpoints[1:-MOST_CHECKPOINTS]

    def put_away(self, slot: Slot) -> None:
        """Save a slot to host memory and empty it. It is free afterwards."""
        slot.busy = False
        self._clear(slot)

    def put_away_idle(self) -> None:
        """Save what idle slots hold and empty them, where that is worth the copy and costs little of what is saved."""
        for slot in self.free:
            if len(slot.tokens) < WORTH_KEEPING or slot.stays:
                continue
            if not self._is_kept_elsewhere(slot):
                snapshot = self._snapshot(slot)
                slot.stays = snapshot is None or not self.snapshots.has_room(snapshot.size)
                if snapshot is None or slot.stays:
                    continue
                self.snapshots.add(snapshot)
            self.rewind(slot, 0)
            slot.checkpoints = []

    def wipe(self, slot: Slot) -> None:
        """Empty a slot whose content cannot be trusted."""
        self.model.truncate(slot.index, 0)
        slot.tokens, slot.checkpoints = [], []

    def evict_one(self) -> bool:
        """Empty the least recently used free slot that holds anything. False if there is none."""
        holding = [slot for slot in self.free if slot.tokens]
        if holding:
            self._clear(min(holding, key=lambda slot: slot.used))
        return bool(holding)

    # -- finding ---------------------------------------------------------------------------------------------------

    def _best_slot(self, tokens: list[int]) -> tuple[Slot | None, int]:
        """The slot that can give the longest prefix; of several, one that need not be copied."""
        reach = [(self._reach(slot, common_prefix(slot.tokens, tokens)), slot) for slot in self.all]
        reach = [(length, slot) for length, slot in reach if length]
        if not reach:
            return None, 0
        length, slot = max(reach, key=lambda pair: (pair[0], not pair[1].busy and pair[0] == len(pair[1].tokens)))
        return slot, length

    def _best_snapshot(self, tokens: list[int], afresh: bool) -> tuple[Snapshot | None, int]:
        return (None, 0) if afresh else self.snapshots.best(tokens, self.model.info.rewinds)

    def _reach(self, slot: Slot, length: int) -> int:
        """How much of its first `length` tokens a slot can certainly give."""
        if length == len(slot.tokens) or self.model.can_truncate(slot.index, length):
            return length
        return max((kept.length for kept in slot.checkpoints if kept.length <= length), default=0)

    def _victim(self, free: Sequence[Slot]) -> Slot:
        """The free slot whose content will be missed least: an empty one, else the least recently used."""
        return min(free, key=lambda slot: (bool(slot.tokens), slot.used))

    # -- moving ----------------------------------------------------------------------------------------------------

    def _empty(self, target: Slot) -> Claim:
        self._clear(target)
        return Claim(target, 0, 0)

    def _share(self, source: Slot, length: int, target: Slot) -> Claim:
        if source is target:
            self._keep(source, beyond=length)
            return Claim(source, self.rewind(source, length), 0)
        self._clear(target)
        state = None if length == len(source.tokens) else self._state_at(source, length)
        if not self.model.copy(source.index, target.index, length, state):
            return Claim(target, 0, 0)
        target.tokens = source.tokens[:length]
        target.checkpoints = [kept for kept in source.checkpoints if kept.length <= length]
        return Claim(target, length, length)

    def _restore(self, snapshot: Snapshot, length: int, target: Slot) -> Claim:
        self.snapshots.touch(snapshot)  # before clearing, which may need room among the snapshots
        self._clear(target)
        if not self.model.load(target.index, snapshot.state):
            return Claim(target, 0, 0)
        target.tokens = list(snapshot.tokens)
        target.checkpoints = list(snapshot.checkpoints)
        return Claim(target, self.rewind(target, length), 0)

    def _truncate(self, slot: Slot, length: int) -> int:
        if self.model.truncate(slot.index, length):
            return length
        for kept in sorted(slot.checkpoints, key=lambda kept: -kept.length):
            if kept.length <= length and self.model.truncate(slot.index, kept.length, kept.state):
                return kept.length
        self.model.truncate(slot.index, 0)
        return 0

    def _state_at(self, slot: Slot, length: int) -> bytes | None:
        return next((kept.state for kept in slot.checkpoints if kept.length == length), None)

    def _clear(self, slot: Slot) -> None:
        self._keep(slot, beyond=0)
        self.rewind(slot, 0)
        slot.checkpoints = []

    def _keep(self, slot: Slot, beyond: int) -> None:
        """Save a slot before what it holds beyond a length is lost, unless that is little or held elsewhere too."""
        if len(slot.tokens) - beyond < WORTH_KEEPING or self._is_kept_elsewhere(slot):
            return
        snapshot = self._snapshot(slot)
        if snapshot is not None:
            self.snapshots.add(snapshot)

    def _is_kept_elsewhere(self, slot: Slot) -> bool:
        others = (other for other in self.all if other is not slot)
        return self.snapshots.covers(slot.tokens) or any(
            common_prefix(other.tokens, slot.tokens) == len(slot.tokens) for other in others
        )

    def _snapshot(self, slot: Slot) -> Snapshot | None:
        """All that a slot holds, or nothing where that cannot be had."""
        if self.snapshots.limit == 0:
            return None
        try:
            state = self.model.save(slot.index)
        except Exception:  # no room for it, say: it will be computed again
            return None
        return None if state is None else Snapshot(list(slot.tokens), state, tuple(slot.checkpoints))
