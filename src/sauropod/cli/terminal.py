"""How the command line writes: colour only where it is seen, lines no wider than the terminal."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import Any, TextIO

__all__ = [
    "abandon",
    "clean",
    "is_terminal",
    "note",
    "print_error",
    "print_json",
    "print_text",
    "status",
    "styled",
    "table",
    "tolerant_streams",
    "wrapped",
]

WIDEST = 100
"""Longer lines are hard to read, however wide the terminal."""

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}

_SHOWN: dict[int, int | None] = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n\r"}
_SHOWN |= {127: 0x2421, **dict.fromkeys(range(0x80, 0xA0), 0xFFFD), ord("\r"): None}


def tolerant_streams() -> None:
    """From here on a character that a stream cannot encode becomes `?`, and what goes to a closed one is lost."""
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody may be watching."""
    return stream is not None and not stream.closed and stream.isatty()


def styled(text: str, style: str, stream: TextIO | None = None) -> str:
    """The text in a style such as `"bold red"`, where the stream (stdout) shows it."""
    stream = stream or sys.stdout
    hidden = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    if not text or hidden or not is_terminal(stream) or (sys.platform == "win32" and "WT_SESSION" not in os.environ):
        return text
    return f"\x1b[{';'.join(STYLES[word] for word in style.split())}m{text}\x1b[0m"


def clean(text: str, stream: TextIO | None = None) -> str:
    """Somebody else's text as the stream (stdout) may get it: a terminal gets no control characters."""
    return text.translate(_SHOWN) if is_terminal(stream or sys.stdout) else text


def print_text(text: str) -> None:
    """Write to stdout, at once."""
    sys.stdout.write(text)
    sys.stdout.flush()


def print_json(value: Any) -> None:
    """Write a value to stdout as JSON, in ASCII where stdout is not Unicode."""
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print_text(json.dumps(value, ensure_ascii=not unicode, indent=2) + "\n")


def print_error(text: str, *, end: str = "\n") -> None:
    """Write a line to stderr, if that can be written: what was asked for does not fail with it."""
    try:
        print(text, end=end, file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def note(text: str) -> None:
    """Say something beside the output: on stderr, wrapped, quietly."""
    print_error(styled(wrapped(clean(text, sys.stderr), sys.stderr), "dim", sys.stderr))


@contextlib.contextmanager
def status(text: str) -> Iterator[None]:
    """Show on stderr what is being waited for, if it is a terminal, and take it away again."""
    if not is_terminal(sys.stderr):
        yield
        return
    text = text[: _width(sys.stderr) - 1]
    print(text, end="\r", file=sys.stderr, flush=True)
    try:
        yield
    finally:
        print(" " * len(text), end="\r", file=sys.stderr, flush=True)


def wrapped(text: str, stream: TextIO, *, margin: int = 0) -> str:
    """The text with long lines broken to the terminal's width; lines that are indented stay as they are.

    With `margin`, what follows the first line begins so far to the right, below where the first one did.
    """
    if not is_terminal(stream):
        return text
    width = max(20, _width(stream) - margin)
    lines = [line if line.startswith(" ") else _filled(line, width) for line in text.split("\n")]
    return "\n".join(lines).replace("\n", "\n" + " " * margin)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> str:
    """Columns as wide as what is in them, those numbered in `right` aligned to the right."""
    widths = [max(len(row[column]) for row in (heads, *rows)) for column in range(len(heads))]
    lines = []
    for row in (heads, *rows):
        cells = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip() + "\n")
    return styled(lines[0].rstrip("\n"), "dim") + "\n" + "".join(lines[1:])


def abandon(stream: TextIO) -> None:
    """A stream takes nothing any more: what is still buffered goes nowhere, without complaint."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _filled(line: str, width: int) -> str:
    return textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False)


def _width(stream: TextIO) -> int:
    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        columns = 0
    return min(columns or 80, WIDEST)
