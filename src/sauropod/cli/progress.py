"""A progress bar on stderr, where somebody watches."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import attrs

from sauropod.cli.terminal import clean, is_terminal

__all__ = ["Bar"]

WIDTH = 30
"""Characters of the bar itself."""


@attrs.define(eq=False)
class Bar:
    """Shows how many of so many seconds are done. Takes itself away at the end of the `with` block."""

    label: str
    _shown: str = ""

    def show(self, done: float, total: float | None) -> None:
        """Draw it anew, if it looks different now."""
        if not is_terminal(sys.stderr):
            return
        share = min(1.0, done / total) if total else 0.0
        filled = round(share * WIDTH)
        bar = f"{'█' * filled}{'░' * (WIDTH - filled)} {share:4.0%}  " if total else ""
        line = f"{clean(self.label[:30], sys.stderr)}  {bar}{_clock(done)}{f' of {_clock(total)}' if total else ''}"
        if line != self._shown:
            print(line.ljust(len(self._shown)), end="\r", file=sys.stderr, flush=True)
            self._shown = line

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._shown:
            print(" " * len(self._shown), end="\r", file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02}:{int(seconds) % 60:02}"
