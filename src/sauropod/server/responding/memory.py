"""Memory: responses that are not stored, for as long as a connection lives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

__all__ = ["Memory"]

Item = dict[str, Any]


@attrs.define(eq=False)
class Memory:
    """What was said in each of them, from the beginning on. The oldest are forgotten where there are many."""

    limit: int = 256
    _said: dict[str, tuple[Item, ...]] = attrs.field(factory=dict)

    def keep(self, response_id: str, items: Sequence[Item]) -> None:
        self._said[response_id] = tuple(items)
        while len(self._said) > self.limit:
            del self._said[next(iter(self._said))]

    def recall(self, response_id: str) -> tuple[Item, ...] | None:
        return self._said.get(response_id)

    def forget(self, response_id: str | None) -> None:
        if response_id is not None:
            self._said.pop(response_id, None)
