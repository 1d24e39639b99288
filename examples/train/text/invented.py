"""Invented: shapes of tools that nobody has, so that calling is copied and not remembered."""

from __future__ import annotations

import random

from .tools import Parameter, Shape
from .wordings import document
from .words import Words


def shape(words: Words, rng: random.Random, *, like: Shape | None = None) -> Shape:
    """A shape with a fresh name and up to four arguments; `like` another, it shares half of its name."""
    verb = words.made_up(rng) if rng.random() < 0.2 else words.one("verbs", rng)
    noun = words.noun("nouns", rng) if rng.random() < 0.8 else words.made_up(rng)
    if like is not None:
        old_verb, old_noun = _halves(like)
        verb, noun = (verb, old_noun) if rng.random() < 0.5 else (old_verb, noun)
    parameters = _parameters(words, rng)
    about = _any("about", rng).format(verb=verb, noun=noun)
    return Shape(
        names=(_name(verb, noun, rng),),
        about=(about[:1].upper() + about[1:],),
        asked=tuple(dict.fromkeys(_wording(verb, noun, parameters, also, rng) for also in (0.0, 0.5, 1.0))),
        parameters=parameters,
    )


def _halves(like: Shape) -> tuple[str, str]:
    pattern = like.about[0].rstrip(".").split(" ")
    return pattern[-3].lower() if len(pattern) > 2 else pattern[0].lower(), pattern[-1]


def _name(verb: str, noun: str, rng: random.Random) -> str:
    return rng.choice(
        (
            f"{verb}_{noun}",
            f"{verb}_{noun}",
            f"{verb}_{noun}",
            f"{noun}_{verb}",
            verb + noun.title(),
            noun,
            f"{verb}-{noun}",
        )
    )


def _parameters(words: Words, rng: random.Random) -> tuple[Parameter, ...]:
    count = rng.choice((0, 1, 1, 1, 2, 2, 2, 3, 3, 4))
    drawn: dict[str, Parameter] = {}
    while len(drawn) < count:
        each = _parameter(len(drawn) > 0 and rng.random() < 0.25, words, rng)
        drawn.setdefault(each.slot, each)
    return tuple(drawn.values())


def _parameter(optional: bool, words: Words, rng: random.Random) -> Parameter:
    kind = rng.choices(("enum", "boolean", "other"), (12, 8, 80))[0]
    name = words.made_up(rng) if rng.random() < 0.3 else words.one("fields", rng)
    if kind == "boolean" and rng.random() < 0.5:
        name = words.one("switches", rng)
    elif rng.random() < 0.1:
        name = f"{name}_{words.one('fields', rng)}"
    about = (f"The {name} of the {words.one('nouns', rng)}.", f"Which {name}.", f"{name.capitalize()} to use")
    values = tuple(dict.fromkeys(words.noun("nouns", rng) for _ in range(rng.randint(2, 4)))) if kind == "enum" else ()
    return Parameter((name,), _any("kinds", rng) if kind == "other" else kind, about, values, optional)


def _wording(verb: str, noun: str, parameters: tuple[Parameter, ...], also: float, rng: random.Random) -> str:
    """Words for a call; optional arguments are said with the chance `also`."""
    said = [each for each in parameters if not each.optional or rng.random() < also]
    loose = _any("asked", rng)
    if len(said) == 1 and said[0].kind not in ("boolean",) and rng.random() < 0.5:
        loose = _any("single", rng).replace("{slot}", "{" + said[0].slot + "}")
        return _filled(loose, verb, noun)
    text = _filled(loose, verb, noun)
    if not said:
        return text
    shuffled = rng.sample(said, len(said)) if rng.random() < 0.3 else said
    says = _any("says", rng)
    parts = [
        says.replace("{name}", each.slot.replace("_", " ")).replace("{slot}", "{" + each.slot + "}")
        for each in shuffled
    ]
    tail = parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + rng.choice((" and ", ", ", ", and ")) + parts[-1]
    return text + _any("joins", rng) + tail


def _filled(pattern: str, verb: str, noun: str) -> str:
    text = pattern.replace("{verb}", verb).replace("{noun}", noun)
    return text[:1].upper() + text[1:]


def _any(name: str, rng: random.Random) -> str:
    return str(rng.choice(document("invented")[name]))
