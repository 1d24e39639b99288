"""Tape: what is written once and read by any number, each at its own pace, from any place on."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import anyio
import attrs

__all__ = ["Tape"]


@attrs.define(eq=False)
class Tape:
    """Pieces of a stream that is being made. Writing never waits for a reader."""

    _pieces: list[bytes] = attrs.field(factory=list)
    _ended: bool = False
    _changed: anyio.Event = attrs.field(factory=anyio.Event)

    def __len__(self) -> int:
        return len(self._pieces)

    @property
    def ended(self) -> bool:
        return self._ended

    def write(self, *pieces: bytes) -> None:
        """Add pieces, and wake whoever waits for them."""
        self._pieces += pieces
        self._wake()

    def end(self) -> None:
        """Nothing follows."""
        self._ended = True
        self._wake()

    async def read(self, start: int = 0) -> AsyncIterator[Sequence[bytes]]:
        """From piece `start` on, everything there is at once, until the end."""
        while True:
            changed = self._changed
            if start < len(self._pieces):
                found = self._pieces[start:]
                start += len(found)
                yield found
            elif self._ended:
                return
            else:
                await changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
