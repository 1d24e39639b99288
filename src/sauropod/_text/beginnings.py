"""How calls begin in the middle of a text: what a reader looks for there, and what a grammar holds from there on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from sauropod._text.atoms import first_mark, is_mark
from sauropod._text.writing import frame_of
from sauropod._values.syntax import CallSyntax, Slot

__all__ = ["TELLING", "beginnings"]

TELLING = 6
"""Characters of a beginning that is no mark, from which on it is not taken for text."""


def beginnings(calls: CallSyntax, names: Iterable[str]) -> Sequence[str]:
    """Texts with which a call of one of these tools begins, and that would not stand in a text by chance."""
    head = calls.head.lstrip()
    if is_mark(head):
        return [first_mark(head)]
    if len(head.strip()) >= TELLING:
        return [head.strip()]
    if calls.is_object:
        return list(dict.fromkeys(f"{head}{_up_to_a_value(calls, name)}" for name in names))
    return [f"{head}{name}(" for name in names] if calls.call[:2] == (Slot.NAME, "(") else []


def _up_to_a_value(calls: CallSyntax, name: str) -> str:
    """The beginning of a call that is an object, up to its first colon."""
    written = json.dumps(name, ensure_ascii=False)[1:-1]
    places = {Slot.NAME: written, Slot.ARGUMENTS: "{}", Slot.ID: ""}
    parts = calls.frame or frame_of(calls)
    text = "".join(places[part] if isinstance(part, Slot) else part for part in parts)
    return text[: text.find(":") + 1]
