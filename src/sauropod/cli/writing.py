"""A model's text on its way to stdout."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import attrs

from sauropod.cli.terminal import clean, print_text

__all__ = ["Writing"]


@attrs.define
class Writing:
    """Shows text as it comes, unless it is to be `quiet`, and keeps it.

    As a context manager it ends the last line. An interruption leaves it as it is, for `^C` is written there.
    """

    quiet: bool = False
    _pieces: list[str] = attrs.field(factory=list)

    @property
    def text(self) -> str:
        """All that has come so far."""
        return "".join(self._pieces)

    def write(self, piece: str) -> None:
        """Take the next piece."""
        self._pieces.append(piece)
        if not self.quiet:
            print_text(clean(piece))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, KeyboardInterrupt):
            self.end()

    def end(self) -> None:
        """No more will come: end the last line, if there is one that has no end."""
        if not self.quiet and self._pieces and not self._pieces[-1].endswith("\n"):
            print_text("\n")
