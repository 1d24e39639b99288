"""JSON schemas by the hundred, most of them about nothing."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

Schema = dict[str, Any]

NAMES = ("a", "b", "name", 'quo"ted', "é", "with space")
PATTERNS = ("^[a-c]{2,4}$", "^a|b$", "^(?:x|yy)+z$", "^\\d{3}-[0-9]+$", '^[^a-z"]?$', "^\\w+@\\w+$", "^\\s\\S$")
FORMATS = ("date", "time", "date-time", "uuid", "ipv4", "ipv6", "duration")
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    2.5,
    1e-7,
    "",
    'é\n"\\',
    [],
    [1, ["x"]],
    {},
    {"a": {"b": [None]}},
    100000.0,
)


def some_schema(seed: int) -> Schema:
    """A schema for texts of a moderate length, with definitions some of its parts refer to."""
    lots = random.Random(seed)
    definitions = {f"d{number}": _schema(lots, 1, 0) for number in range(2)}
    return {"$defs": definitions, **_schema(lots, 3, 2)}


def _schema(lots: random.Random, depth: int, definitions: int) -> Schema:
    kinds: list[Callable[[random.Random, int, int], Schema]] = [_string, _integer, _number, _fixed]
    if depth:
        kinds += [_object, _object, _array, _any, _all]
    if definitions:
        kinds.append(lambda lots, depth, definitions: {"$ref": f"#/$defs/d{lots.randrange(definitions)}"})
    return lots.choice(kinds)(lots, depth, definitions)


def _string(lots: random.Random, depth: int, definitions: int) -> Schema:
    least = lots.randrange(4)
    return {
        "type": "string",
        **lots.choice(
            [
                {"minLength": least, "maxLength": least + lots.randrange(8)},
                {"pattern": lots.choice(PATTERNS), "maxLength": 12},
                {"format": lots.choice(FORMATS)},
                {"enum": lots.sample(["x", "xy", "Ünï", "a long one, with more words"], lots.randint(1, 4))},
            ]
        ),
    }


def _integer(lots: random.Random, depth: int, definitions: int) -> Schema:
    least = lots.randint(-1000, 1000)
    least_name, most_name = lots.choice(["minimum", "exclusiveMinimum"]), lots.choice(["maximum", "exclusiveMaximum"])
    schema = {"type": "integer", least_name: least, most_name: least + lots.randint(20, 5000)}
    return {**schema, "multipleOf": lots.choice([2, 3, 7])} if lots.random() < 0.3 else schema


def _number(lots: random.Random, depth: int, definitions: int) -> Schema:
    least = lots.choice([-2.5, 0, 0.125, 1e3])
    return {"type": ["number", "null"], "minimum": least, "exclusiveMaximum": least + lots.choice([0.5, 3, 1e4])}


def _fixed(lots: random.Random, depth: int, definitions: int) -> Schema:
    values = lots.sample(VALUES, lots.randint(1, 5))
    return lots.choice([{"enum": values}, {"const": values[0]}, {"type": "boolean"}, {"type": "null"}])


def _object(lots: random.Random, depth: int, definitions: int) -> Schema:
    names = lots.sample(NAMES, lots.randint(1, 4))
    schema: Schema = {
        "type": "object",
        "properties": {name: _schema(lots, depth - 1, definitions) for name in names},
        "required": [name for name in names if lots.random() < 0.6],
        "additionalProperties": False,
    }
    if lots.random() < 0.2:
        schema |= {"patternProperties": {"^p[0-9]$": _schema(lots, 0, 0)}}
    return schema


def _array(lots: random.Random, depth: int, definitions: int) -> Schema:
    first = [_schema(lots, depth - 1, definitions) for _ in range(lots.randint(1, 3))]
    least = len(first) + lots.randrange(2)
    return {
        "type": "array",
        "prefixItems": first,
        "items": _schema(lots, depth - 1, definitions),
        "minItems": least,
        "maxItems": least + lots.randrange(3),
    }


def _any(lots: random.Random, depth: int, definitions: int) -> Schema:
    if lots.random() < 0.3:
        return {"oneOf": [{"type": "string", "maxLength": 4}, {"type": "integer", "minimum": 0, "maximum": 9}]}
    return {"anyOf": [_schema(lots, depth - 1, definitions) for _ in range(lots.randint(1, 3))]}


def _all(lots: random.Random, depth: int, definitions: int) -> Schema:
    parts = [
        {"properties": {name: _schema(lots, 0, 0)}, "required": [name]}
        for name in lots.sample(NAMES, lots.randint(1, 3))
    ]
    count = lots.choice([{"maxProperties": len(parts)}, {"maxProperties": len(parts), "minProperties": len(parts)}])
    return {"type": "object", "allOf": [*parts, count]}
