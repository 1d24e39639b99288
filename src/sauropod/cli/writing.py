"""A model's answer on its way to the terminal."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

import attrs

from sauropod import ReasoningDelta, StreamEvent, TextDelta, ToolCall, ToolCallClosed
from sauropod.cli.terminal import clean, is_terminal, print_error, print_text, styled

__all__ = ["Writing"]


@attrs.define
class Writing:
    """Shows an answer as it comes, unless it is to be `quiet`, and keeps its text.

    The text goes to stdout. Thoughts go to stderr, where somebody sees them. As a context manager it ends the last
    line; an interruption leaves it as it is, for `^C` is written there.
    """

    quiet: bool = False
    _pieces: list[str] = attrs.field(factory=list)
    _thoughts: list[str] = attrs.field(factory=list)

    @property
    def text(self) -> str:
        """All of the text that has come so far."""
        return "".join(self._pieces)

    def take(self, event: StreamEvent) -> None:
        """Take what comes next."""
        match event:
            case TextDelta(text=text) if text:
                self._end_thoughts()
                self._pieces.append(text)
                self._show(clean(text))
            case ReasoningDelta(text=text) if not self.quiet and is_terminal(sys.stderr):
                self._thoughts.append(text)
                print_error(styled(clean(text, sys.stderr), "dim", sys.stderr), end="")
            case ToolCallClosed(tool_call=call):
                self._end_thoughts()
                self._show(styled(f"calls {clean(_as_code(call))}", "cyan"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, KeyboardInterrupt):
            self.end()

    def end(self) -> None:
        """No more will come: end the last line, if there is one that has no end."""
        self._end_thoughts()
        if self._pieces and not self._pieces[-1].endswith("\n"):
            self._show("\n")

    def _end_thoughts(self) -> None:
        if self._thoughts:
            print_error("" if self._thoughts[-1].endswith("\n") else "\n")
        self._thoughts.clear()

    def _show(self, text: str) -> None:
        if not self.quiet:
            print_text(text)


def _as_code(call: ToolCall) -> str:
    return f"{call.name}({', '.join(f'{name}={value!r}' for name, value in call.arguments.items())})"
