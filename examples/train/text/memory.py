"""Memory: what the user tells, repeats and asks for again."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from .documented import single
from .exchange import Exchange, turn
from .material import Material
from .questions import expand_all, fill, sentence
from .values import draw
from .wordings import Wordings, dialogue, document, wordings


@dataclass(frozen=True)
class Thing:
    """Something a user may tell: how it is told, asked for and answered."""

    kind: str
    told: Wordings
    asked: Wordings
    answer: str
    reply: str
    unknown: str


@cache
def things() -> tuple[Thing, ...]:
    """Everything the model is taught to remember."""
    return tuple(
        Thing(
            kind=table["kind"],
            told=Wordings(expand_all(table["told"])),
            asked=wordings(table),
            answer=table["answer"],
            reply=table["reply"],
            unknown=table["unknown"],
        )
        for table in document("memory")["things"]
    )


def remembered(material: Material, rng: random.Random) -> list[Exchange]:
    """One to three things told, perhaps something else said, then asked for in any order."""
    chosen = rng.sample(things(), rng.choice((1, 1, 2, 3)))
    exchanges: list[Exchange] = []
    recalls: list[Exchange] = []
    for thing in chosen:
        value = _value(thing.kind, material, rng)
        said = thing.told.say({"x": value}, rng)
        exchanges.append(turn(said, sentence(fill(thing.answer, {"x": value})), value))
        question = thing.asked.say({}, rng, measuring=material.measuring)
        recalls.append(turn(question, fill(thing.reply, {"x": value}), value))
        if rng.random() < 0.3:
            exchanges += single(material, rng)
    rng.shuffle(recalls)
    for recall in recalls:
        exchanges.append(recall)
        if rng.random() < 0.2:
            exchanges += single(material, rng)
    return exchanges if not material.measuring else exchanges[: exchanges.index(recalls[-1]) + 1]


def untold(material: Material, rng: random.Random) -> list[Exchange]:
    """Asked for something the user never told."""
    thing = rng.choice(things())
    return [turn(thing.asked.say({}, rng, measuring=material.measuring), thing.unknown, thing.unknown)]


def again(material: Material, rng: random.Random) -> list[Exchange]:
    """The last answer once more."""
    before = _something(material, rng)
    said = dialogue("again").say({}, rng, measuring=material.measuring)
    return [*before, turn(said, before[-1].answer.content, before[-1].answer.content)]


def asked_before(material: Material, rng: random.Random) -> list[Exchange]:
    """The user's last words, quoted."""
    before = _something(material, rng)
    said = dialogue("asked_before").say({}, rng, measuring=material.measuring)
    return [*before, turn(said, f'You said: "{before[-1].text}"', before[-1].text)]


def echoed(material: Material, rng: random.Random) -> list[Exchange]:
    """Words to be repeated exactly: sentences, names, codes, nonsense."""
    text = _text(material, rng)
    said = dialogue("echo").say({"x": text}, rng, measuring=material.measuring)
    return [turn(said, text, text)]


def _something(material: Material, rng: random.Random) -> list[Exchange]:
    moves: tuple[Callable[[Material, random.Random], list[Exchange]], ...] = (single, single, echoed)
    return rng.choice(moves)(material, rng)


def _value(kind: str, material: Material, rng: random.Random) -> str:
    if kind == "age":
        return str(rng.randint(5, 99))
    if kind == "pet":
        return material.words.noun("pets", rng)
    if kind == "job":
        return material.words.noun("jobs", rng)
    if kind in ("food", "sport", "colour"):
        lists = {"food": "foods", "sport": "sports", "colour": "colours"}
        return material.words.noun(lists[kind], rng)
    return draw(kind, material.words, rng).said


def _text(material: Material, rng: random.Random) -> str:
    kind = rng.choice(("clause", "clause", "phrase", "code", "nonsense", "nonsense", "names", "numbers"))
    words = material.words
    if kind == "nonsense":
        return " ".join(words.made_up(rng) for _ in range(rng.randint(1, 6)))
    if kind == "names":
        return ", ".join(words.name(rng.choice(("people", "cities")), rng) for _ in range(rng.randint(1, 5)))
    if kind == "numbers":
        return " ".join(str(rng.randint(0, 99)) for _ in range(rng.randint(1, 6)))
    text = draw(kind, words, rng).said
    return sentence(text) + "." if kind == "clause" and rng.random() < 0.5 else text
