"""What is asked: English words in no order, another text every time, the same in every run."""

from __future__ import annotations

import random

import attrs

from benchmarks.harness.side import Ask
from sauropod.testing.models.words import WORDS

__all__ = ["Prompts"]

_PLAIN = [word for word in WORDS if word.isalpha() and word.islower()]


@attrs.define
class Prompts:
    """An endless supply, one for each seed. Most words are one token, so `words` is about as many tokens."""

    seed: object
    _random: random.Random = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._random = random.Random(repr(self.seed))

    def text(self, words: int) -> str:
        return " ".join(self._random.choices(_PLAIN, k=words))

    def ask(self, words: int, tokens: int, *, system: str = "") -> Ask:
        """A question of so many words, to be answered with so many tokens."""
        said = [("user", self.text(words))]
        return Ask([("system", system), *said] if system else said, tokens)

    def for_clients(self, clients: int, each: int, words: int, tokens: int, *, system: str = "") -> list[list[Ask]]:
        """What each of the clients asks, one after another."""
        return [[self.ask(words, tokens, system=system) for _ in range(each)] for _ in range(clients)]
