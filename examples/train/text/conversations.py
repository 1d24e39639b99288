"""Conversations: the mixture the model is trained on."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

from . import calls, documented, memory, objects, passages
from .exchange import Exchange, messages, turn
from .material import Material
from .messages import Conversation, Message, system
from .questions import fill
from .wordings import Wordings, document

Move = Callable[[Material, random.Random], list[Exchange]]

MOVES: dict[Move, float] = {
    documented.single: 48,
    documented.follow_ups: 7,
    documented.running_sum: 3,
    documented.unlisted: 4,
    documented.spelled: 4,
    memory.remembered: 10,
    memory.untold: 1.5,
    memory.again: 4,
    memory.asked_before: 4,
    memory.echoed: 8,
    passages.read: 9,
    objects.array: 3,
    objects.copied: 4,
    objects.filled: 6,
    objects.extracted: 6,
    objects.turned: 3,
}


TOOLS, OWN = 0.22, 0.28


def stream(material: Material, rng: random.Random, tools: float = TOOLS, own: float = OWN) -> Iterator[Conversation]:
    """Conversations without end: a share has `tools`, and a share of the tools are the documented ones."""
    while True:
        lot = rng.random()
        if lot < tools:
            yield with_tools(material, rng, own)
        else:
            yield without_tools(material, rng) if lot < 0.985 else only_json(material, rng)


def without_tools(material: Material, rng: random.Random) -> Conversation:
    """One to many moves, perhaps under a system prompt."""
    count = rng.choice((1, 1, 1, 1, 2, 2, 3, 6))
    exchanges: list[Exchange] = []
    for move in rng.choices(tuple(MOVES), tuple(MOVES.values()), k=count):
        if move is memory.untold and exchanges:
            continue
        exchanges += move(material, rng)
    opening, asked = _opening(material, rng)
    return Conversation((*opening, *messages([*exchanges, *asked] if rng.random() < 0.5 else [*asked, *exchanges])))


def with_tools(material: Material, rng: random.Random, own: float = OWN) -> Conversation:
    """Tools offered; some requests for them, some turns that need none."""
    offered = calls.bench(material, rng, own)
    exchanges: list[Exchange] = []
    for _ in range(rng.choice((1, 2, 3, 4))):
        if rng.random() < 0.75:
            exchanges += calls.called(offered, material, rng)
        else:
            exchanges += calls.declined(offered, material, rng)
    opening = _opening(material, rng)[0] if rng.random() < 0.7 else ()
    return Conversation((*opening, *messages(exchanges)), offered.schemas)


def only_json(material: Material, rng: random.Random) -> Conversation:
    """Instructions to answer in JSON, and bare sentences."""
    opening = system(rng.choice(document("dialogue")["system"]["json"]))
    exchanges = [each for _ in range(rng.choice((1, 1, 2, 3))) for each in objects.instructed(material, rng)]
    return Conversation((opening, *messages(exchanges)))


def _opening(material: Material, rng: random.Random) -> tuple[tuple[Message, ...], list[Exchange]]:
    """A system prompt or none, and what may be asked about it."""
    lot = rng.random()
    tables = document("dialogue")["system"]
    if lot < 0.65:
        return (), []
    if lot < 0.88:
        return (system(rng.choice(tables["plain"])),), []
    name = material.words.name("people", rng)
    if lot < 0.95:
        asked = Wordings(_wordings_of("What is your name?", material))
        return (system(fill(rng.choice(tables["named"]), {"x": name})),), [
            turn(asked.say({}, rng), f"My name is {name}.", name)
        ]
    asked = memory.things()[0].asked
    said = asked.say({}, rng, measuring=material.measuring)
    return (system(fill(rng.choice(tables["about"]), {"x": name})),), [turn(said, f"Your name is {name}.", name)]


def _wordings_of(name: str, material: Material) -> tuple[str, ...]:
    return next(each.phrasings for each in material.questions if each.name == name)
