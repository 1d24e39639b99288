"""A list of choices as a grammar, in plain Python."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Self

import attrs

from sauropod._values.grammar import Grammar, GrammarKind
from sauropod.errors import InvalidGrammar

__all__ = ["Choices"]


@attrs.frozen
class Choices:
    """What may follow what was said, so that in the end it is one of the texts."""

    texts: tuple[bytes, ...]

    @classmethod
    def of(cls, grammar: Grammar) -> Self:
        """Raises `InvalidGrammar` for a grammar of another kind."""
        if grammar.kind is not GrammarKind.CHOICE:
            raise InvalidGrammar(f"The fake backend knows only Grammar.choice([…]); got one of kind {grammar.kind}.")
        return cls(tuple(text.encode() for text in json.loads(grammar.text)))

    def forced(self, said: bytes) -> bytes:
        """What must follow."""
        rests = self._rests(said)
        shortest, *others = sorted(rests, key=len)
        length = min((_common(shortest, other) for other in others), default=len(shortest))
        return shortest[:length]

    def is_complete(self, said: bytes) -> bool:
        return said in self.texts

    def is_over(self, said: bytes) -> bool:
        """Whether nothing may follow but the end."""
        return self._rests(said) == [b""]

    def allows(self, said: bytes, pieces: Iterable[bytes]) -> list[bool]:
        """Which of the pieces may follow."""
        rests = self._rests(said)
        return [bool(piece) and any(rest.startswith(piece) for rest in rests) for piece in pieces]

    def _rests(self, said: bytes) -> list[bytes]:
        return [text[len(said) :] for text in self.texts if text.startswith(said)]


def _common(one: bytes, other: bytes) -> int:
    return next(
        (place for place, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
