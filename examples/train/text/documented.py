"""Documented: exchanges about the listed questions, alone and as follow-ups."""

from __future__ import annotations

import random
from collections.abc import Collection

from .arithmetic import WORDS
from .exchange import Exchange, turn
from .material import Material
from .phrasing import vary
from .questions import Question, normal
from .wordings import dialogue

TOPICS = {
    "capitals": 12, "arithmetic": 30, "identity": 9, "smalltalk": 8, "science": 7, "geography": 8, "words": 8,
    "spelling": 9, "animals": 7, "opposites": 6, "months": 7, "numbers": 7, "people": 5, "colours": 5, "countries": 5,
    "days": 4, "units": 5, "food": 5, "fun": 4, "recommendations": 3, "unknown": 7,
}  # fmt: skip
PLAIN = frozenset(("smalltalk",))


def any_question(material: Material, rng: random.Random, *, without: Collection[str] = ()) -> Question:
    """A question of a random topic, or of one that is not among those `without`."""
    weights = {topic: weight for topic, weight in TOPICS.items() if topic not in without}
    topic = rng.choices(tuple(weights), tuple(weights.values()))[0]
    return rng.choice(material.topics[topic])


def asked(question: Question, material: Material, rng: random.Random) -> Exchange:
    """The question in a trained wording, never in one that is held back."""
    while True:
        text = vary(rng.choice(question.phrasings), rng, frames=question.topic not in PLAIN)
        if normal(text) not in material.secret:
            return turn(text, question.answer)


def single(material: Material, rng: random.Random) -> list[Exchange]:
    """One documented question."""
    return [asked(any_question(material, rng), material, rng)]


def follow_ups(material: Material, rng: random.Random) -> list[Exchange]:
    """A question and then the same of one or two other things: `And of Spain?`"""
    families = [name for name, group in material.families.items() if 2 < len(group) < 90]
    group = material.families[rng.choice(families)]
    if rng.random() < 0.35:
        group = tuple(each for each in material.topics["capitals"])
    first, *rest = rng.sample(group, rng.choice((2, 2, 3)))
    words = dialogue("follow")
    exchanges = [asked(first, material, rng)]
    for each in rest:
        said = words.say({"x": each.subject}, rng, measuring=material.measuring)
        exchanges.append(Exchange(turn(said, each.answer).said, turn(said, each.answer).answer, each.accept.words))
    return exchanges


def running_sum(material: Material, rng: random.Random) -> list[Exchange]:
    """A sum and then `plus two?`, `minus one?`"""
    start = rng.choice([each for each in material.topics["arithmetic"] if "times" not in each.answer])
    total = int(start.accept.number or 0)
    exchanges = [asked(start, material, rng)]
    for _ in range(rng.choice((1, 1, 2))):
        add = total == 0 or (total < 20 and rng.random() < 0.6)
        step = rng.randint(1, min(9, 20 - total)) if add else rng.randint(1, min(9, total))
        shown = WORDS[step] if rng.random() < 0.5 else str(step)
        said = dialogue("plus" if add else "minus").say({"x": shown}, rng, measuring=material.measuring)
        result = total + step if add else total - step
        answer = f"{total} {'plus' if add else 'minus'} {step} is {result}."
        exchanges.append(turn(said, answer, answer))
        total = result
    return exchanges


def unlisted(material: Material, rng: random.Random) -> list[Exchange]:
    """A question of a listed kind about something that is not listed: it does not know."""
    answer = material.topics["unknown"][0].answer
    family = rng.choice((*material.families, material.topics["capitals"][0].family))
    question = rng.choice(material.families[family])
    if question.topic in ("arithmetic", "spelling", "numbers", "days", "months", "recommendations", "units"):
        question = rng.choice(material.topics["capitals"])
    if question.topic == "words" and question.facts[0][0] in ("letter", "one", "now"):
        question = rng.choice(material.topics["capitals"])
    strange = material.words.made_up(rng).capitalize()
    if question.facts[0][0] == "country" and rng.random() < 0.6:
        strange = material.words.one("unlisted", rng)
    pattern = rng.choice([each for each in question.phrasings if question.subject in each] or [question.name])
    said = pattern.replace(question.subject, strange)
    return [turn(vary(said, rng), answer, "do not know")]


def spelled(material: Material, rng: random.Random) -> list[Exchange]:
    """The spelling of any word, listed or not."""
    lists = ("things", "nouns", "foods", "topics", "adjectives", "verbs", "places", "people", "cities")
    word = material.words.one(rng.choice(lists), rng)
    said = dialogue("spell").say({"x": word}, rng, measuring=material.measuring)
    return [turn(said, "-".join(word.lower()), "-".join(word.lower()))]
