"""Objects: JSON the user asks for, made from what the user says."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping

from .exchange import Exchange, turn
from .material import Material
from .questions import fill
from .values import Json, Value, draw, json_type
from .wordings import document, wordings

COUNTS = {2: ("two", "2"), 3: ("three", "3"), 4: ("four", "4"), 5: ("five", "5")}


def array(material: Material, rng: random.Random) -> list[Exchange]:
    """Some things of a kind as an array."""
    what, members = rng.choice(tuple(document("objects")["arrays"].items()))
    count = rng.choice([each for each in COUNTS if each <= len(members)])
    said = _said("listed", {"what": what, "n": rng.choice(COUNTS[count])}, material, rng)
    return [_exchange(said, members[:count])]


def copied(material: Material, rng: random.Random) -> list[Exchange]:
    """The user's own items as an array."""
    kind = rng.choice(("person", "city", "thing", "food", "count", "colour", "topic", "code"))
    items = [draw(kind, material.words, rng) for _ in range(rng.randint(2, 5))]
    said = _said("copied", {"items": _joined([item.said for item in items], rng)}, material, rng)
    return [_exchange(said, [item.json for item in items])]


def filled(material: Material, rng: random.Random) -> list[Exchange]:
    """Keys and their values as an object."""
    fields = _fields(material, rng, rng.choice((1, 2, 2, 3, 3, 4)))
    says = rng.choice(("{k} {v}", "{k} is {v}", "{k}: {v}", "{k} = {v}", "the {k} {v}"))
    pairs = [fill(says, {"k": key, "v": value.said}) for key, value in fields.items()]
    slots = {
        "keys": _joined(list(fields), rng),
        "values": ", ".join(value.said for value in fields.values()),
        "pairs": _joined(pairs, rng),
    }
    said = _said("filled", slots, material, rng)
    return [_exchange(said, {key: value.json for key, value in fields.items()})]


def extracted(material: Material, rng: random.Random) -> list[Exchange]:
    """What a sentence says as an object with the keys asked for."""
    text, values = _sentence(material, rng)
    keys = rng.sample(tuple(values), rng.randint(1, len(values))) if rng.random() < 0.5 else list(values)
    kinds = document("objects")["fields"]
    schema = json.dumps({"type": "object", "properties": {key: {"type": json_type(kinds[key])} for key in keys}})
    slots = {"text": text, "keys": _joined(keys, rng), "schema": schema}
    return [_exchange(_said("extracted", slots, material, rng), {key: values[key].json for key in keys})]


def turned(material: Material, rng: random.Random) -> list[Exchange]:
    """All that a sentence says as an object."""
    text, values = _sentence(material, rng)
    said = _said("turned", {"text": text}, material, rng)
    return [_exchange(said, {key: value.json for key, value in values.items()})]


def instructed(material: Material, rng: random.Random) -> list[Exchange]:
    """The same for the bare sentence: where the instructions ask for JSON."""
    text, values = _sentence(material, rng)
    said = _said("instructed", {"text": text}, material, rng)
    return [_exchange(said, {key: value.json for key, value in values.items()})]


def _sentence(material: Material, rng: random.Random) -> tuple[str, dict[str, Value]]:
    """A sentence about someone, and what it says by key."""
    kinds, sentences = document("objects")["fields"], document("objects")["sentences"]
    chosen = ["name", *rng.sample(tuple(sentences), rng.choice((1, 2, 2, 3)))]
    values = {key: draw(kinds[key], material.words, rng) for key in chosen}
    parts = [fill(rng.choice(sentences[key]), {"x": values[key].said}) for key in chosen[1:]]
    return f"{values['name'].said} {_joined(parts, rng, 'and')}.", values


def _fields(material: Material, rng: random.Random, count: int) -> dict[str, Value]:
    kinds = document("objects")["fields"]
    fields = {key: _draw(kinds[key], material, rng) for key in rng.sample(tuple(kinds), count)}
    if rng.random() < 0.35:
        strange = material.words.made_up(rng) if rng.random() < 0.5 else material.words.one("fields", rng)
        fields[strange] = _draw(rng.choice(("thing", "count", "person", "noun")), material, rng)
    return fields


def _draw(kind: str, material: Material, rng: random.Random) -> Value:
    if kind == "year":
        year = rng.randint(1900, 2040)
        return Value(str(year), year)
    return draw(kind, material.words, rng)


def _said(table: str, slots: Mapping[str, str], material: Material, rng: random.Random) -> str:
    return wordings(document("objects")[table]).say(slots, rng, measuring=material.measuring)


def _exchange(said: str, value: Json) -> Exchange:
    text = json.dumps(value, ensure_ascii=False)
    return turn(said, text, text)


def _joined(items: list[str], rng: random.Random, last: str | None = None) -> str:
    link = last or rng.choice(("and", "and", ","))
    if len(items) < 2:
        return "".join(items)
    head, tail = ", ".join(items[:-1]), items[-1]
    return f"{head}, {tail}" if link == "," else f"{head} {link} {tail}"
