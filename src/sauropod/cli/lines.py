"""What somebody types, message by message."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Callable

from sauropod.cli.terminal import is_terminal

__all__ = ["QUOTES", "ask", "read_message", "with_line_editing"]

QUOTES = '"""'
FIRST, NEXT = "> ", ". "


def read_message(ask: Callable[[str], str]) -> str:
    '''One message, of lines that `ask(prompt)` gives. Raises `EOFError` when there is none.

    A line that ends in a backslash goes on in the next. A message that begins with """ ends with the line that ends so.
    Where there are no more lines, what there is of a message is the message.
    '''
    line = ask(FIRST)
    if line.lstrip().startswith(QUOTES):
        return _quoted(line.lstrip().removeprefix(QUOTES), ask)
    lines = [line]
    with contextlib.suppress(EOFError):
        while lines[-1].endswith("\\"):
            lines[-1] = lines[-1].removesuffix("\\")
            lines.append(ask(NEXT))
    return "\n".join(lines).rstrip()


def ask(prompt: str) -> str:
    """A line from stdin. The prompt is shown only to a person, and never among the output of a program."""
    if is_terminal(sys.stdin) and is_terminal(sys.stdout):
        return input(prompt)
    if is_terminal(sys.stdin):
        print(prompt, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline() if sys.stdin is not None else ""
    if not line:
        raise EOFError
    return line.rstrip("\r\n")


def with_line_editing() -> None:
    """Let `input` edit lines and remember them, where Python has readline."""
    with contextlib.suppress(ImportError):
        importlib.import_module("readline")


def _quoted(rest: str, ask: Callable[[str], str]) -> str:
    lines = [rest]
    with contextlib.suppress(EOFError):
        while not lines[-1].rstrip().endswith(QUOTES):
            lines.append(ask(NEXT))
    lines[-1] = lines[-1].rstrip().removesuffix(QUOTES)
    return "\n".join(lines).strip("\n")
