"""Conversations that are longer than the context: which turns to leave out.

    system | user … | user, call, result, answer | user …
             turn     turn                         turn, always kept

A turn begins with what the user says and has everything up to the next. So no call is ever without its result.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sauropod._values.messages import Message

__all__ = ["dropped_turns", "turns", "without_turns"]

SYSTEM = ("system", "developer")


def turns(messages: Sequence[Message]) -> list[list[Message]]:
    """The conversation in turns, what the system says left out."""
    return [[messages[place] for place in turn] for turn in _places(messages)]


def without_turns(messages: Sequence[Message], count: int) -> list[Message]:
    """The conversation without its first turns."""
    dropped = {place for turn in _places(messages)[:count] for place in turn}
    return [message for place, message in enumerate(messages) if place not in dropped]


def dropped_turns(messages: Sequence[Message], length: Callable[[Sequence[Message]], int], room: int, step: int) -> int:
    """How many turns to leave out so that the rest is no longer than `room`; all but the last if that is not to be had.

    More than just enough: in steps of so many tokens, so that the conversation begins at the same place for a while,
    and what was computed of it is of use.
    """
    most = len(turns(messages)) - 1
    whole = length(messages)
    if whole <= room or most < 1:
        return 0
    steps = -(-(whole - room) // step) * step
    ample = _first(lambda count: whole - length(without_turns(messages, count)) >= steps, most)
    return most if ample is None else ample


def _places(messages: Sequence[Message]) -> list[list[int]]:
    """Where the messages of each turn are."""
    result: list[list[int]] = []
    for place, message in enumerate(messages):
        if message.role in SYSTEM:
            continue
        if message.role == "user" or not result:
            result.append([])
        result[-1].append(place)
    return result


def _first(holds: Callable[[int], bool], most: int) -> int | None:
    """The least number from 1 on for which something holds that holds for all after it; None if there is none."""
    low, high = 1, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low if low <= most else None
