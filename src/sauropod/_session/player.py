"""Player: when audio may be given out, and how much of it has been heard.

It is given out a little before it can have been played, so that an interruption finds little of it on its way. Nobody
tells when it is heard: it is taken for played as soon as it is there, without a gap where there need be none.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
import attrs

__all__ = ["Player"]

LOOK_AGAIN = 0.05
"""Seconds between two looks at whether somebody takes what has been given out."""


@attrs.define(eq=False)
class Player:
    """One loudspeaker, as far as it can be known from here."""

    ahead: float | None
    """Seconds that may be given out before they can have been played. None: all that there is."""
    crowded: Callable[[], bool] = lambda: False
    """Whether so much waits to be taken that no more is to be added."""
    clock: Callable[[], float] = attrs.field(default=anyio.current_time)
    _until: float = 0.0
    """When all that was given out has been played."""
    _gate: anyio.Event | None = None
    """While it is held: set when it goes on."""

    @property
    def held(self) -> bool:
        return self._gate is not None

    @property
    def unheard(self) -> float:
        """Seconds that were given out and cannot have been played yet."""
        return max(0.0, self._until - self.clock())

    async def turn(self, seconds: float) -> None:
        """Wait until so much audio may be given out. It counts as given out then."""
        while (wait := self._wait()) is None or wait > 0:
            if self._gate is not None:
                await self._gate.wait()
            else:
                await anyio.sleep(LOOK_AGAIN if wait is None else wait)
        self._until = max(self._until, self.clock()) + seconds

    def hold(self) -> None:
        """Give nothing out."""
        if self._gate is None:
            self._gate = anyio.Event()

    def go_on(self) -> None:
        """Give out again."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set()

    def stop(self) -> None:
        """What was given out is not played any more."""
        self._until = 0.0
        self.go_on()

    def _wait(self) -> float | None:
        """Seconds until something may be given out; None if that is not known."""
        if self._gate is not None or self.crowded():
            return None
        return 0.0 if self.ahead is None else self.unheard - self.ahead
