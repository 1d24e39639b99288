"""Text that is read while it is still coming.

A reader is a generator that yields whenever it needs more than there is, and goes on when there is more. So what reads
a stream is written as if all of it were there, and where a text is split makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from typing import TypeAlias, TypeVar

import attrs

from sauropod._text.atoms import atoms

__all__ = ["Malformed", "Reading", "Sink", "Source", "held_back"]

Result = TypeVar("Result")
Reading: TypeAlias = Generator[None, None, Result]

Sink: TypeAlias = Callable[[str], None]
"""Is given text as it becomes certain."""


class Malformed(Exception):
    """What comes is not what was being read. Says why."""


def held_back(text: str, marks: Sequence[str]) -> int:
    """How many characters at a text's end may be the beginning of one of these marks."""
    longest = min(len(text), max((len(mark) for mark in marks), default=1) - 1)
    for length in range(longest, 0, -1):
        if any(len(mark) > length and text.endswith(mark[:length]) for mark in marks):
            return length
    return 0


@attrs.define
class Source:
    """What has come, and how far it has been read."""

    text: str = ""
    at: int = 0
    ended: bool = False
    cut: bool = False
    """Whether it ended where the model would have gone on."""

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def forget(self) -> None:
        """Let go of what was read: nothing goes back behind this place."""
        self.text, self.at = self.rest, 0

    def peek(self) -> Reading[str]:
        """The next character; empty at the end."""
        while self.at >= len(self.text):
            if self.ended:
                return ""
            yield
        return self.text[self.at]

    def take(self) -> Reading[str]:
        """The next character, read. Raises `Malformed` at the end."""
        character = yield from self.peek()
        if not character:
            raise Malformed("the text ends in the middle of it")
        self.at += 1
        return character

    def blanks(self, others: str = "") -> Reading[str]:
        """Read blanks, and these other characters. The character after them; empty at the end."""
        while (character := (yield from self.peek())) and (character.isspace() or character in others):
            self.at += 1
        return character

    def layout(self) -> Reading[str]:
        """Read blanks. What they were."""
        begin = self.at
        yield from self.blanks()
        return self.text[begin : self.at]

    def begins(self, mark: str) -> Reading[bool]:
        """Whether the text goes on with a mark, blanks aside. Nothing is read."""
        return (yield from self._matched(mark)) is not None

    def literal(self, expected: str) -> Reading[None]:
        """Read a text that must come now. Blanks between its marks and words may differ, and those at its end are read
        as far as they are there."""
        end = yield from self._matched(expected)
        if end is None:
            raise Malformed(f"{expected.strip()!r} was expected")
        self.at = end
        for blank in expected[len(expected.rstrip()) :]:
            if (yield from self.peek()) != blank:
                break
            self.at += 1

    def ending(self, expected: str) -> Reading[None]:
        """As `literal`, but all of it, or some, may be left out at the end of the text."""
        begin = self.at
        for wanted in expected:
            if wanted.isspace():
                continue
            character = yield from self.blanks()
            if character != wanted:
                if not character:
                    return
                self.at = begin
                raise Malformed(f"{expected.strip()!r} was expected")
            self.at += 1

    def until(self, stop: str, sink: Sink | None = None, most: int | None = None) -> Reading[str]:
        """Read up to where `stop` begins. `sink` is told what surely belongs to it.

        Raises `Malformed` at the end, or after `most` characters.
        """
        begin = told = self.at
        while (found := self.text.find(stop, self.at)) < 0:
            self.at = max(self.at, len(self.text) - len(stop) + 1)
            if self.ended:
                raise Malformed(f"the text ends before {stop!r}")
            if most is not None and self.at - begin > most:
                break
            if sink is not None:
                certain = len(self.text) - held_back(self.text[told:], [stop])
                sink(self.text[told:certain])
                told = certain
            yield
        if most is not None and not 0 <= found - begin <= most:
            raise Malformed(f"{stop!r} was expected")
        if sink is not None:
            sink(self.text[told:found])
        self.at = found
        return self.text[begin:found]

    def _matched(self, expected: str) -> Reading[int | None]:
        """Where the text is behind `expected`, without reading it; None if it is something else."""
        begin = self.at
        try:
            for atom in _without_blanks(expected):
                yield from self.blanks()
                for wanted in atom:
                    if (yield from self.peek()) != wanted:
                        return None
                    self.at += 1
            return self.at
        finally:
            self.at = begin


@lru_cache(maxsize=1024)
def _without_blanks(text: str) -> tuple[str, ...]:
    """Its marks, words and signs."""
    return tuple(atom for atom in map(str, atoms(text)) if not atom.isspace())
