"""Words: the lists that random values are drawn from, and made-up words."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

LISTS = Path(__file__).parent / "data" / "lists.toml"

COPIED = ("foods", "things", "topics", "colours", "places", "sports", "nouns", "pets", "jobs", "skies")


@dataclass(frozen=True)
class Words:
    """Lists of words by name. Made-up words are built from `syllables` and `endings`."""

    lists: Mapping[str, tuple[str, ...]]

    def one(self, name: str, rng: random.Random) -> str:
        """A word of the list."""
        return rng.choice(self.lists[name])

    def some(self, name: str, count: int, rng: random.Random) -> list[str]:
        """Different words of the list."""
        return rng.sample(self.lists[name], count)

    def made_up(self, rng: random.Random) -> str:
        """A word that means nothing, such as `ploruvan`."""
        syllables = (self.one("syllables", rng) for _ in range(rng.choice((1, 2, 2, 2, 3))))
        word = "".join(syllables) + (self.one("endings", rng) if rng.random() < 0.7 else "")
        if rng.random() < 0.04:
            pair = self.one("accents", rng)
            word = word.replace(pair[0], pair[1], 1)
        return word

    def copied(self) -> frozenset[str]:
        """Listed words that are told to the model to be repeated, such as foods."""
        return frozenset(word for name in COPIED for word in self.lists[name])

    def name(self, name: str, rng: random.Random) -> str:
        """A proper name: of the list, or made up two times in five."""
        return self.made_up(rng).capitalize() if rng.random() < 0.4 else self.one(name, rng)

    def noun(self, name: str, rng: random.Random) -> str:
        """A common word: of the list, or made up one time in four."""
        return self.made_up(rng) if rng.random() < 0.25 else self.one(name, rng)


def trained(path: Path = LISTS) -> Words:
    """The words that training draws from."""
    document = tomllib.loads(path.read_text("utf-8"))
    return Words({name: _split(text) for name, text in document.items() if name != "unseen"})


def unseen(path: Path = LISTS) -> Words:
    """The same lists, those of the table `unseen` instead of their trained twins."""
    document = tomllib.loads(path.read_text("utf-8"))
    held = {name: _split(text) for name, text in document["unseen"].items()}
    return Words({**trained(path).lists, **held})


def _split(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text.split()))
