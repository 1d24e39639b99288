"""Value: something a user says and a tool or a JSON object is given."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass

from .arithmetic import WORDS
from .words import Words

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SIGNS = {"+": "plus", "-": "minus", "*": "times", "/": "divided by"}
LISTED = {
    "city": "cities",
    "person": "people",
    "country": "countries",
    "language": "languages",
    "colour": "colours",
    "thing": "things",
    "food": "foods",
    "topic": "topics",
    "place": "places",
    "sport": "sports",
    "noun": "nouns",
    "sky": "skies",
    "zone": "zones",
}
TYPES = {"count": "integer", "small": "integer", "degrees": "integer", "whole": "integer"} | {
    "decimal": "number",
    "boolean": "boolean",
    "yes": "boolean",
}


@dataclass(frozen=True)
class Value:
    """How a value is said, and what it is in JSON."""

    said: str
    json: Json


def json_type(kind: str) -> str:
    """The JSON schema type of a kind of value."""
    return TYPES.get(kind, "string")


def draw(kind: str, words: Words, rng: random.Random) -> Value:
    """A random value of `kind`."""
    if kind in ("count", "small", "degrees", "whole"):
        return _integer(kind, rng)
    if kind == "decimal":
        number = round(rng.uniform(0, 100), rng.choice((1, 2)))
        return Value(str(number), number)
    if kind == "boolean":
        state = rng.random() < 0.5
        return Value(rng.choice(("yes", "on", "true") if state else ("no", "off", "false")), state)
    if kind == "yes":
        return Value("yes", True)
    if kind == "expression":
        return _expression(rng)
    text = _text(kind, words, rng)
    return Value(text, text)


def _integer(kind: str, rng: random.Random) -> Value:
    low, high = {"small": (1, 12), "degrees": (-10, 38), "whole": (0, 999)}.get(kind, (1, 120))
    if kind == "count" and rng.random() < 0.15:
        high = 5000
    number = rng.randint(low, high)
    in_words = kind != "degrees" and number <= 20 and rng.random() < 0.3
    return Value(WORDS[number] if in_words else str(number), number)


def _text(kind: str, words: Words, rng: random.Random) -> str:
    if kind in ("city", "person"):
        return words.name(LISTED[kind], rng)
    if kind == "label":
        return _text(rng.choice(("food", "thing")), words, rng)
    if kind in LISTED:
        return words.noun(LISTED[kind], rng) if kind in ("thing", "topic", "noun") else words.one(LISTED[kind], rng)
    if kind == "time":
        return f"{rng.randint(0, 23)}:{rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)):02}"
    if kind == "day":
        return rng.choice(DAYS)
    if kind == "date":
        return f"20{rng.randint(20, 39)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
    if kind == "email":
        return f"{words.name('people', rng).lower()}@{words.noun('nouns', rng)}.{rng.choice(('com', 'org', 'net'))}"
    if kind == "code":
        letters = "".join(rng.choices("ABCDEFGHKLMNPRSTUVWXYZ", k=rng.randint(1, 3)))
        return f"{letters}{rng.choice(('-', ''))}{rng.randint(10, 9999)}"
    if kind == "digits":
        return "".join(rng.choices("0123456789", k=rng.randint(4, 8)))
    if kind == "ticker":
        return "".join(rng.choices("ABCDEFGHIKLMNOPRSTUVX", k=rng.randint(3, 4)))
    if kind == "currency":
        return rng.choice(("dollars", "euros", "pounds", "yen", "francs", "pesos", "rupees"))
    if kind == "path":
        return f"{words.noun('nouns', rng)}.{rng.choice(('txt', 'csv', 'py', 'md', 'json', 'pdf'))}"
    if kind == "phrase":
        return _phrase(words, rng)
    if kind == "clause":
        return _clause(words, rng)
    raise ValueError(f"no kind of value is called {kind!r}")


def _expression(rng: random.Random) -> Value:
    high = rng.choice((20, 99, 999))
    signs = rng.choices("+-*/", k=rng.choice((1, 1, 1, 2)))
    numbers = [str(rng.randint(2, high)) for _ in range(len(signs) + 1)]
    written = numbers[0] + "".join(f" {sign} {number}" for sign, number in zip(signs, numbers[1:], strict=True))
    lot = rng.random()
    if lot < 0.4:
        return Value(re.sub(r"[-+*/]", lambda sign: SIGNS[sign[0]], written), written)
    return Value(written, written) if lot < 0.8 else Value(written.replace(" ", ""), written.replace(" ", ""))


def _phrase(words: Words, rng: random.Random) -> str:
    return rng.choice(
        (
            f"{words.one('adjectives', rng)} {words.noun('things', rng)}",
            f"{words.noun('things', rng)} for {words.name('people', rng)}",
            f"{words.one('sports', rng)} with {words.name('people', rng)}",
            f"{words.noun('topics', rng)}",
            f"{words.one('verbs', rng)} the {words.noun('nouns', rng)}",
        )
    )


def _clause(words: Words, rng: random.Random) -> str:
    return rng.choice(
        (
            f"the {words.noun('things', rng)} is in the {words.one('places', rng)}",
            f"{words.name('people', rng)} has a {words.one('adjectives', rng)} {words.noun('things', rng)}",
            f"we meet at {_text('time', words, rng)}",
            f"the {words.noun('nouns', rng)} is {words.one('adjectives', rng)}",
            f"{words.name('people', rng)} comes on {rng.choice(DAYS)}",
            f"I need {words.one('foods', rng)} and {words.one('foods', rng)}",
            f"{words.name('people', rng)} lives in {words.name('cities', rng)}",
        )
    )
