"""Tool: what a model may call, drawn in ever new words from the shapes in `data/tools/`."""

from __future__ import annotations

import random
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .questions import expand_all
from .values import Json, json_type

DIRECTORY = Path(__file__).parent / "data" / "tools"


@dataclass(frozen=True)
class Parameter:
    """One argument of a shape: what it may be called and what kind of value it takes."""

    names: tuple[str, ...]
    kind: str
    about: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    optional: bool = False

    @property
    def slot(self) -> str:
        """How wordings refer to it."""
        return self.names[0]


@dataclass(frozen=True)
class Outcome:
    """What a tool may return (`json` or `text`), and what the model then says."""

    reply: str
    text: str = ""
    json: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Shape:
    """A kind of tool: its possible names, descriptions, wordings and outcomes."""

    names: tuple[str, ...]
    about: tuple[str, ...]
    asked: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    held_back: tuple[str, ...] = ()
    joined: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    like: str = ""

    @property
    def family(self) -> str:
        """The listed tool it is, or is like."""
        return self.like or self.names[0]


@dataclass(frozen=True)
class Tool:
    """A shape with its words chosen. `named` gives the argument name of each slot."""

    name: str
    shape: Shape
    named: Mapping[str, str]
    schema: Mapping[str, Json] = field(repr=False)


def load(name: str, directory: Path = DIRECTORY) -> tuple[Shape, ...]:
    """The shapes of one file: `own`, `trained` or `unseen`."""
    document = tomllib.loads((directory / f"{name}.toml").read_text("utf-8"))
    return tuple(_shape(table) for table in document["tools"])


def _shape(table: Mapping[str, Any]) -> Shape:
    return Shape(
        names=tuple(table["names"]),
        about=tuple(table["about"]),
        asked=expand_all(table["asked"]),
        held_back=expand_all(table.get("held_back", ())),
        joined=expand_all(table.get("joined", ())),
        like=table.get("like", ""),
        parameters=tuple(
            Parameter(
                names=tuple(each["names"]),
                kind=each["kind"],
                about=tuple(each.get("about", ())),
                values=tuple(each.get("values", ())),
                optional=each.get("optional", False),
            )
            for each in table["parameters"]
        ),
        outcomes=tuple(
            Outcome(each["reply"], each.get("text", ""), tuple(each.get("json", {}).items()))
            for each in table.get("outcomes", ())
        ),
    )


def listed(shape: Shape) -> Tool:
    """The shape as the documentation defines it."""
    properties: dict[str, Json] = {}
    for each in shape.parameters:
        values: dict[str, Json] = {"enum": list(each.values)} if each.values else {}
        properties[each.slot] = {"type": json_type(each.kind), **values, "description": each.about[0]}
    parameters: dict[str, Json] = {
        "type": "object",
        "properties": properties,
        "required": [each.slot for each in shape.parameters if not each.optional],
    }
    function: dict[str, Json] = {"name": shape.names[0], "description": shape.about[0], "parameters": parameters}
    named = {each.slot: each.slot for each in shape.parameters}
    return Tool(shape.names[0], shape, named, {"type": "function", "function": function})


def choose(shape: Shape, rng: random.Random, *, renamed: bool = True) -> Tool:
    """The shape as one definition: a name, argument names, descriptions and a JSON schema's style.

    Names are the first ones unless it is `renamed`.
    """
    name = rng.choice(shape.names) if renamed else shape.names[0]
    kept = [each for each in shape.parameters if not each.optional or rng.random() < 0.7]
    kept = kept or list(shape.parameters)
    named: dict[str, str] = {}
    for each in kept:
        free = [name for name in each.names if name not in named.values()]
        named[each.slot] = rng.choice(free) if renamed and free else each.slot
    return Tool(name, shape, named, _schema(name, rng.choice(shape.about), kept, named, rng))


def _schema(
    name: str, about: str, kept: list[Parameter], named: Mapping[str, str], rng: random.Random
) -> dict[str, Json]:
    described, titled = rng.random() < 0.4, rng.random() < 0.1
    properties: dict[str, Json] = {}
    for each in kept:
        entry: dict[str, Json] = {"type": json_type(each.kind)}
        if each.values:
            entry["enum"] = list(each.values)
        if described and each.about:
            entry["description"] = rng.choice(each.about)
        elif described:
            entry["description"] = f"The {named[each.slot].replace('_', ' ')}."
        if titled:
            entry["title"] = named[each.slot].replace("_", " ").title()
        properties[named[each.slot]] = entry if rng.random() < 0.8 else _reversed(entry)
    parameters: dict[str, Json] = {"type": "object", "properties": properties}
    required: list[Json] = [named[each.slot] for each in kept if not each.optional]
    if required or rng.random() < 0.5:
        parameters["required"] = required
    if rng.random() < 0.25:
        parameters["additionalProperties"] = False
    function: dict[str, Json] = {"name": name}
    if rng.random() < 0.9:
        function["description"] = about
    function["parameters"] = parameters
    if rng.random() < 0.1:
        function["strict"] = rng.random() < 0.5
    return {"type": "function", "function": function}


def _reversed(entry: dict[str, Json]) -> dict[str, Json]:
    return dict(reversed(entry.items()))
