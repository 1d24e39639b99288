"""Evicted slots kept in host memory, bounded by bytes, least recently used out first."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod._scheduling.prefix import common_prefix

__all__ = ["Checkpoint", "Snapshot", "Snapshots"]

MANY = 16
"""How many snapshots of a size must have room in all, so that one more is worth the loss of the oldest."""


@attrs.frozen(eq=False)
class Checkpoint:
    """What a model that cannot drop a tail needs to come back to its first `length` tokens."""

    length: int
    state: bytes = attrs.field(repr=False)


@attrs.frozen(eq=False)
class Snapshot:
    """All that a slot held."""

    tokens: list[int] = attrs.field(repr=False)
    state: bytes = attrs.field(repr=False)
    checkpoints: Sequence[Checkpoint] = ()

    def reach(self, length: int, rewinds: bool) -> int:
        """How much of its first `length` tokens it can give to a model that can, or cannot, drop a tail."""
        if rewinds or length == len(self.tokens):
            return length
        return max((kept.length for kept in self.checkpoints if kept.length <= length), default=0)

    @property
    def size(self) -> int:
        """Bytes in host memory, the token ids not counted."""
        return len(self.state) + sum(len(checkpoint.state) for checkpoint in self.checkpoints)


@attrs.define(eq=False)
class Snapshots:
    """A bounded store of snapshots, the least recently used first."""

    limit: int
    """Bytes; 0 keeps nothing."""
    size: int = 0
    _kept: list[Snapshot] = attrs.field(factory=list)

    def __len__(self) -> int:
        return len(self._kept)

    def covers(self, tokens: list[int]) -> bool:
        """Whether some snapshot begins with all of `tokens`."""
        return any(snapshot.tokens[: len(tokens)] == tokens for snapshot in self._kept)

    def has_room(self, size: int) -> bool:
        """Whether a snapshot of so many bytes can be kept at the cost of none, or of few, of the others."""
        return self.size + size <= self.limit or size <= self.limit // MANY

    def add(self, snapshot: Snapshot) -> None:
        """Keep a snapshot; what it makes superfluous or there is no room for is dropped."""
        if snapshot.size > self.limit:
            return
        for old in list(self._kept):
            if snapshot.tokens[: len(old.tokens)] == old.tokens:
                self._drop(old)
        while self.size + snapshot.size > self.limit:
            self._drop(self._kept[0])
        self._kept.append(snapshot)
        self.size += snapshot.size

    def best(self, tokens: list[int], rewinds: bool) -> tuple[Snapshot | None, int]:
        """The snapshot that can give the longest prefix of `tokens`, and how long that is."""
        best: Snapshot | None = None
        longest = 0
        for snapshot in self._kept:
            if snapshot.tokens[: longest + 1] != tokens[: longest + 1]:
                continue  # it has no more in common than the best so far: of thousands most are done with here
            length = snapshot.reach(common_prefix(snapshot.tokens, tokens), rewinds)
            if length > longest:
                best, longest = snapshot, length
        return best, longest

    def touch(self, snapshot: Snapshot) -> None:
        """Count it as used just now."""
        self._kept.remove(snapshot)
        self._kept.append(snapshot)

    def _drop(self, snapshot: Snapshot) -> None:
        self._kept.remove(snapshot)
        self.size -= snapshot.size
