"""Marks that belong together: one begins something, and another like it ends it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sauropod._text.atoms import atoms, is_mark
from sauropod._values.syntax import Part

__all__ = ["THOUGHTS", "counterpart", "ending"]

THOUGHTS: Sequence[tuple[str, str]] = (
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("[THINK]", "[/THINK]"),
    ("<|START_THINKING|>", "<|END_THINKING|>"),
    ("<|inner_prefix|>", "<|inner_suffix|>"),
)
"""Marks around thoughts that are in use. Templates that only remove thoughts from earlier answers are tried with
them."""

_FORMS: Sequence[tuple[str, str | Callable[[re.Match[str]], str]]] = (
    (r"<([\w:.-]+)>", r"</\1>"),
    (r"\[([A-Z_]+)\]", r"[/\1]"),
    (r"<\|(\w+)_start\|>", r"<|\1_end|>"),
    (r"<\|START_(\w+)\|>", r"<|END_\1|>"),
    (r"<\|begin_of_(\w+)\|>", r"<|end_of_\1|>"),
)


def counterpart(mark: str) -> str:
    """The mark that ends what this one begins; empty if that cannot be told."""
    known = next((close for open, close in THOUGHTS if open == mark), "")
    return known or next((re.sub(form, end, mark) for form, end in _FORMS if re.fullmatch(form, mark)), "")


def ending(begin: str, text: str) -> str:
    """What ends the part of a text that `begin` has begun, if the text goes on with that at once; empty if not.

    It is a counterpart, or one like it of several words: `<|open|>think<|sep|>` and `<|close|>think<|sep|>`.
    """
    marks = atoms(begin.strip())
    found = atoms(text.lstrip())[: len(marks)]
    if not marks or len(found) < len(marks) or not is_mark(str(marks[0])) or not is_mark(str(found[0])):
        return ""
    if len(marks) == 1 or counterpart(str(marks[0])) == found[0]:
        return str(found[0]) if counterpart(str(marks[0])) == found[0] else ""
    alike = marks[0] != found[0] and marks[1:] == found[1:] and str(marks[1]).isalpha()
    return _joined(found) if alike else ""


def _joined(parts: Sequence[Part]) -> str:
    return "".join(map(str, parts))
