"""Text as atoms: marks whole, words whole, anything else by the character. What two texts share is counted in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import takewhile

from sauropod._values.syntax import Part, Slot

__all__ = ["atoms", "common_prefix", "common_suffix", "first_mark", "is_mark", "joined", "without"]

_MARK = r"<[^<>\s]*(?:\s[^<>\n]*)?>|\[/?[A-Z][A-Z_ ]*\]|(?P<run>[^\w\s])(?P=run){2,}"
_ATOM = re.compile(rf"{_MARK}|\w+|\s|.", re.DOTALL)


def atoms(text: str, places: Mapping[str, Slot] | None = None) -> list[Part]:
    """The atoms of a text. What `places` names becomes the place it stands for."""
    if not places:
        return [found[0] for found in _ATOM.finditer(text)]
    split: list[Part] = []
    names = re.compile("|".join(map(re.escape, sorted(places, key=len, reverse=True))))
    end = 0
    for found in names.finditer(text):
        split += [*atoms(text[end : found.start()]), places[found[0]]]
        end = found.end()
    return [*split, *atoms(text[end:])]


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """The same with the texts between two places as one."""
    result: list[Part] = []
    for part in parts:
        if result and not isinstance(part, Slot) and not isinstance(result[-1], Slot):
            result[-1] += part
        else:
            result.append(part)
    return tuple(result)


def common_prefix(*lists: Sequence[Part]) -> list[Part]:
    """The atoms with which all begin."""
    first = lists[0]
    together = takewhile(
        lambda place: all(other[place] == first[place] for other in lists), range(min(map(len, lists)))
    )
    return list(first[: sum(1 for _ in together)])


def common_suffix(*lists: Sequence[Part]) -> list[Part]:
    """The atoms with which all end."""
    return common_prefix(*([*reversed(each)] for each in lists))[::-1]


def without(parts: Sequence[Part], *, prefix: Sequence[Part] = (), suffix: Sequence[Part] = ()) -> list[Part]:
    """What is left between a prefix and a suffix that are there."""
    return list(parts[len(prefix) : len(parts) - len(suffix)])


def is_mark(text: str) -> bool:
    """Whether it has a mark in it, which would not stand in a text by chance."""
    return re.search(_MARK, text) is not None


def first_mark(text: str) -> str:
    """The text up to the end of its first mark; all of it if there is none."""
    found = re.search(_MARK, text)
    return text[: found.end()] if found else text
