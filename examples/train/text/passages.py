"""Passages: short texts with something to find in them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import cache

from .exchange import Exchange, turn
from .material import Material
from .questions import fill, sentence
from .values import DAYS, draw
from .wordings import document


@dataclass(frozen=True)
class Fact:
    """A sentence with slots, and what may be asked about it."""

    said: str
    asks: tuple[tuple[str, str], ...]
    held_back: tuple[str, ...]


@cache
def facts() -> tuple[Fact, ...]:
    """Every kind of sentence."""
    return tuple(
        Fact(
            table["said"],
            tuple((question, answer) for question, answer in table["asks"]),
            tuple(table["held_back"]),
        )
        for table in document("passages")["facts"]
    )


def read(material: Material, rng: random.Random) -> list[Exchange]:
    """A text of one to four sentences and one to three questions about it."""
    tables = document("passages")["wordings"]
    told = [(each, _values(material, rng)) for each in rng.choices(facts(), k=rng.choice((1, 2, 2, 3, 3, 4)))]
    text = " ".join(sentence(fill(fact.said, values)) for fact, values in told)
    wording = rng.choice(tables["held_back" if material.measuring else "apart"])
    exchanges: list[Exchange] = []
    if rng.random() < 0.15:
        other, values = rng.choice(facts()), _values(material, rng)
        ask = sentence(fill(other.asks[0][0], values))
        said = fill(wording, {"text": text, "ask": ask})
        return [turn(said, tables["missing"], tables["missing"])]
    for fact, values in rng.sample(told, rng.randint(1, min(3, len(told)))):
        question, answer = rng.choice(fact.asks)
        if material.measuring:
            question, answer = fact.held_back[0], fact.said
        ask, reply = sentence(fill(question, values)), sentence(fill(answer, values))
        said = ask if exchanges else fill(wording, {"text": text, "ask": ask})
        exchanges.append(turn(said, reply, reply.rstrip(".")))
    return exchanges


def _values(material: Material, rng: random.Random) -> dict[str, str]:
    words = material.words
    kinds = ("person", "city", "thing", "food", "noun", "colour", "sport", "time", "code", "place", "count")
    values = {kind: draw(kind, words, rng).said for kind in kinds}
    return values | {
        "person2": words.name("people", rng),
        "adjective": words.one("adjectives", rng),
        "age": str(rng.randint(5, 99)),
        "job": words.one("jobs", rng),
        "day": rng.choice(DAYS),
    }
