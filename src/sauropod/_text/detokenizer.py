"""Tokens to text: characters that span tokens, and stop strings that span tokens."""

from __future__ import annotations

import codecs
from collections import deque
from collections.abc import Sequence
from functools import lru_cache

import attrs

__all__ = ["Detokenizer", "Stops"]


@attrs.define(eq=False)
class _Node:
    """A prefix of one or more stop strings."""

    depth: int = 0
    next: dict[str, _Node] = attrs.field(factory=dict)
    fallback: _Node | None = None
    """The longest proper suffix of this prefix that is a prefix too."""
    longest: int = 0
    """The longest stop string this prefix ends with; 0 if none."""


@attrs.define(eq=False)
class _Automaton:
    """All stop strings as one tree of prefixes. Never changed once it is built, so texts share it."""

    root: _Node

    def step(self, node: _Node | None, character: str) -> _Node:
        """The longest prefix that the text ends with, after one more character."""
        while node is not None:
            if character in node.next:
                return node.next[character]
            node = node.fallback
        return self.root


@lru_cache(maxsize=32)
def _automaton(strings: tuple[str, ...]) -> _Automaton:
    root = _Node()
    for string in strings:
        node = root
        for depth, character in enumerate(string, 1):
            node = node.next.setdefault(character, _Node(depth))
        node.longest = len(string)
    automaton = _Automaton(root)
    queue = deque([root])
    while queue:
        node = queue.popleft()
        for character, child in node.next.items():
            child.fallback = automaton.step(node.fallback, character) if node is not root else root
            child.longest = child.longest or child.fallback.longest
            queue.append(child)
    return automaton


@attrs.define(eq=False)
class Stops:
    """Looks for many strings at once in text that comes in pieces (Aho and Corasick, 1975)."""

    strings: Sequence[str]
    _automaton: _Automaton = attrs.field(init=False)
    _at: _Node = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._automaton = _automaton(tuple(self.strings))
        self._at = self._automaton.root

    @property
    def pending(self) -> int:
        """How many of the last characters may yet turn out to be a stop string."""
        return self._at.depth

    def feed(self, text: str) -> tuple[int, int] | None:
        """Read on. Where in `text` the first stop string to be complete begins and ends, or None.

        The beginning is negative if it lies in text fed before. Of those that end at one place it is the longest.
        """
        if not self.strings:
            return None
        for end, character in enumerate(text, 1):
            self._at = self._automaton.step(self._at, character)
            if self._at.longest:
                return end - self._at.longest, end
        return None


@attrs.define(eq=False)
class Detokenizer:
    """Turns the bytes of tokens into text, and watches for stop strings.

    A character is given out when its last byte has come, and text when it can no longer become part of a stop
    string. Bytes that are not valid UTF-8 become U+FFFD, as in `bytes.decode(errors="replace")`: splitting the same
    bytes differently never changes the text.
    """

    stop: Sequence[str] = ()
    stopped: str | None = None
    """The stop string that was reached. Nothing is taken in after that."""
    _decoder: codecs.IncrementalDecoder = attrs.field(init=False)
    _stops: Stops = attrs.field(init=False)
    _held: str = ""

    def __attrs_post_init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._stops = Stops(self.stop)

    def feed(self, piece: bytes) -> str:
        """Take in a token's bytes. The text that is certain now."""
        return self._take(self._decoder.decode(piece))

    @property
    def whole(self) -> bool:
        """Whether what came ends with a whole character."""
        return not self._decoder.getstate()[0]

    def finish(self) -> str:
        """The rest of the text: nothing more will come."""
        text = self._take(self._decoder.decode(b"", final=True)) + self._held
        self._held = ""
        return text

    def _take(self, text: str) -> str:
        if self.stopped is not None or not text:
            return ""
        found = self._stops.feed(text)
        known = self._held + text
        if found is not None:
            begin, end = (len(self._held) + place for place in found)
            self.stopped, self._held = known[begin:end], ""
            return known[:begin]
        certain = len(known) - self._stops.pending
        self._held = known[certain:]
        return known[:certain]
