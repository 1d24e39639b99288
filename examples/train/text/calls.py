"""Calls: exchanges in which tools are called, and their results told."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass

from . import invented, requests
from .documented import any_question, asked
from .exchange import Exchange, turn
from .material import Material
from .messages import assistant, user
from .messages import tool as result
from .questions import fill, normal, sentence
from .requests import Request
from .tools import Outcome, Shape, Tool, choose, listed
from .values import Json, Value, draw

TOOLED = ("unknown", "arithmetic", "numbers")
UNABLE = "I am only a small demo model, so I do not know that."


@dataclass(frozen=True)
class Bench:
    """The tools offered in one conversation, and one more like them that is not."""

    tools: tuple[Tool, ...]
    absent: Tool

    @property
    def schemas(self) -> tuple[Mapping[str, Json], ...]:
        """The definitions, as a chat template takes them."""
        return tuple(each.schema for each in self.tools)


def bench(material: Material, rng: random.Random, own: float) -> Bench:
    """One to four different tools: the documented ones, a share of `own`, ordinary and invented ones mixed.

    Half of that share are benches of documented ones alone, which are the hardest to tell apart.
    """
    count = rng.choice((1, 1, 2, 2, 3, 4))
    own = 1.0 if not material.measuring and rng.random() < own / 2 else own / 2
    drawn: list[Tool] = []
    while len(drawn) < count + 1:
        drawn += [each for each in (_tool(material, drawn, rng, own),) if _new(each, drawn)]
    *offered, absent = drawn
    return Bench(tuple(offered), absent)


def _tool(material: Material, drawn: list[Tool], rng: random.Random, own: float) -> Tool:
    lot = rng.random()
    if material.measuring:
        return choose(rng.choice(material.others), rng)
    if lot < own:
        return _own(rng.choice(material.own), rng)
    if lot < own + 0.375 * (1 - own):
        return choose(rng.choice(material.others), rng)
    like = drawn[-1].shape if drawn and len(drawn[-1].shape.names) == 1 and rng.random() < 0.3 else None
    return choose(invented.shape(material.words, rng, like=like), rng)


def _own(shape: Shape, rng: random.Random) -> Tool:
    lot = 1.0 if shape.like else rng.random()
    return listed(shape) if lot < 0.35 else choose(shape, rng, renamed=lot > 0.6)


def _new(tool: Tool, drawn: list[Tool]) -> bool:
    return all(tool.name != each.name and tool.shape.about != each.shape.about for each in drawn)


def called(offered: Bench, material: Material, rng: random.Random, *, parallel: float = 0.2) -> list[Exchange]:
    """A request, its calls, the results, and what the model says of them."""
    request = _request(offered, material, rng, parallel)
    if normal(request.said) in material.secret:
        return []
    call = Exchange((user(request.said),), assistant("", request.calls))
    results, replies = [], []
    for tool, values in zip(request.tools, request.values, strict=True):
        text, reply = told(tool, values, material, rng)
        results.append(result(text))
        replies.append(reply)
    answer = " ".join(dict.fromkeys(replies))
    return [call, Exchange(tuple(results), assistant(answer), (answer,))]


def _request(offered: Bench, material: Material, rng: random.Random, parallel: float) -> Request:
    tool = rng.choice(offered.tools)
    if rng.random() < parallel:
        twice = requests.ask_twice(tool, material.words, rng, measuring=material.measuring)
        if twice is not None:
            return twice
        if len(offered.tools) > 1:
            pair = rng.sample(offered.tools, 2)
            one, other = (requests.ask(each, material.words, rng, measuring=material.measuring) for each in pair)
            return requests.both(one, other, rng)
    return requests.ask(tool, material.words, rng, measuring=material.measuring)


def declined(offered: Bench, material: Material, rng: random.Random) -> list[Exchange]:
    """Something that no offered tool does: small talk, a documented question, or another tool's work."""
    if rng.random() < 0.7:
        return [asked(any_question(material, rng, without=TOOLED), material, rng)]
    request = requests.ask(offered.absent, material.words, rng, measuring=material.measuring)
    return [turn(request.said, UNABLE, "do not know")]


def told(tool: Tool, values: Mapping[str, Value], material: Material, rng: random.Random) -> tuple[str, str]:
    """What `tool` returned, and how the model says it."""
    if tool.shape.outcomes and rng.random() < 0.75:
        return _known(rng.choice(tool.shape.outcomes), values, material, rng)
    return _any(tool, material, rng)


def _known(outcome: Outcome, values: Mapping[str, Value], material: Material, rng: random.Random) -> tuple[str, str]:
    drawn = {kind: draw(kind, material.words, rng) for kind in ("degrees", "sky", "time", "zone", "whole", "yes")}
    slots = drawn | dict(values)
    said = {slot: str(value.json) for slot, value in slots.items()}
    reply = sentence(fill(outcome.reply, said))
    if outcome.text:
        return fill(outcome.text, said), reply
    return json.dumps({key: _json(kind, slots) for key, kind in outcome.json}, ensure_ascii=False), reply


def _json(kind: str, slots: Mapping[str, Value]) -> Json:
    name = kind.strip("{}")
    return slots[name].json if name in slots else kind


def _any(tool: Tool, material: Material, rng: random.Random) -> tuple[str, str]:
    words = material.words
    lot = rng.random()
    if lot < 0.4:
        keys = rng.sample(words.lists["fields"], rng.choice((1, 1, 2, 2, 3)))
        values = [
            draw(rng.choice(("thing", "count", "person", "city", "colour", "code", "time")), words, rng) for _ in keys
        ]
        text = json.dumps({key: value.json for key, value in zip(keys, values, strict=True)}, ensure_ascii=False)
        parts = [f"the {key.replace('_', ' ')} is {value.json}" for key, value in zip(keys, values, strict=True)]
        return text, sentence(parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]) + "."
    if lot < 0.55:
        text = sentence(draw("clause", words, rng).said) + "."
        return text, text
    if lot < 0.75:
        value = draw(rng.choice(("whole", "thing", "code", "person", "decimal")), words, rng)
        return str(value.json), f"The result is {value.json}."
    if lot < 0.88:
        return rng.choice(
            ("ok", "done", '{"ok": true}', '{"status": "ok"}', '{"success": true}', "null", "true", "")
        ), "Done."
    reason = rng.choice(
        ("not found", "no connection", "not allowed", "try again later", f"unknown {words.one('fields', rng)}")
    )
    text = rng.choice((f'{{"error": "{reason}"}}', f"Error: {reason}", f"error: {reason}"))
    return text, f"That did not work: {reason}."
