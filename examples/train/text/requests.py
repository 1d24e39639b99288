"""Request: what a user says to have tools called, and the calls that are right."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import dataclass

from .messages import Call
from .phrasing import vary
from .questions import fill
from .tools import Tool
from .values import Json, Value, draw
from .words import Words


@dataclass(frozen=True)
class Request:
    """A user's words, the calls they ask for, and the values said of each call's slots."""

    said: str
    tools: tuple[Tool, ...]
    calls: tuple[Call, ...]
    values: tuple[Mapping[str, Value], ...]


def ask(tool: Tool, words: Words, rng: random.Random, *, measuring: bool = False) -> Request:
    """One call of `tool`, in a wording that says every required argument."""
    pool = tool.shape.held_back if measuring and tool.shape.held_back else tool.shape.asked
    pattern = rng.choice([each for each in pool if _fits(each, tool)])
    values = {slot: _value(tool, slot, words, rng) for slot in slots(pattern)}
    said = fill(_varied(pattern, rng, measuring), {slot: value.said for slot, value in values.items()})
    return Request(said, (tool,), (call(tool, values),), (values,))


def ask_twice(tool: Tool, words: Words, rng: random.Random, *, measuring: bool = False) -> Request | None:
    """Two calls of `tool` at once, where its shape has wordings for it."""
    pool = [each for each in tool.shape.joined if _fits(each, tool)]
    if not pool:
        return None
    pattern = rng.choice(pool)
    said = {slot: _value(tool, slot.removesuffix("2"), words, rng) for slot in slots(pattern)}
    first = {slot: value for slot, value in said.items() if not slot.endswith("2")}
    second = {slot: said.get(f"{slot}2", value) for slot, value in first.items()}
    text = fill(_varied(pattern, rng, measuring), {slot: value.said for slot, value in said.items()})
    return Request(text, (tool, tool), (call(tool, first), call(tool, second)), (first, second))


def both(one: Request, other: Request, rng: random.Random) -> Request:
    """Two requests in one breath."""
    link = rng.choice((" and ", " Also, ", ", and then ", " And ", ", and ", " Then "))
    first = one.said.rstrip("?.! ")
    mark = rng.choice(("?", ".")) if link.strip()[0].isupper() else ""
    second = other.said if link.strip()[0].isupper() else other.said[:1].lower() + other.said[1:]
    return Request(
        first + mark + link + second, one.tools + other.tools, one.calls + other.calls, one.values + other.values
    )


def call(tool: Tool, values: Mapping[str, Value]) -> Call:
    """The call of `tool` with these slots, in the order of its definition."""
    arguments: dict[str, Json] = {name: values[slot].json for slot, name in tool.named.items() if slot in values}
    return Call(tool.name, arguments)


def slots(pattern: str) -> list[str]:
    """The slots of a wording, in order and without repeats."""
    return list(dict.fromkeys(re.findall(r"\{(\w+)\}", pattern)))


def _fits(pattern: str, tool: Tool) -> bool:
    said = {slot.removesuffix("2") for slot in slots(pattern)}
    needed = {each.slot for each in tool.shape.parameters if not each.optional}
    return said <= set(tool.named) and needed <= said


def _value(tool: Tool, slot: str, words: Words, rng: random.Random) -> Value:
    parameter = next(each for each in tool.shape.parameters if each.slot == slot)
    if parameter.values:
        text = rng.choice(parameter.values)
        return Value(text, text)
    return draw(parameter.kind, words, rng)


def _varied(pattern: str, rng: random.Random, measuring: bool) -> str:
    return pattern if measuring else vary(pattern, rng, shout=False)
