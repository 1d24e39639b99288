"""JSON schemas as llguidance takes them: all of it enforced, or an error that names what is not.

llguidance refuses most keywords it does not know and some it cannot combine, but passes over others: words it has never
heard of, formats of what is no string, digits beyond those of a double. What is passed over is found here.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, NoReturn

from sauropod._values.grammar import ANNOTATIONS
from sauropod._values.patterns import FORMATS as PATTERNS
from sauropod._values.patterns import LEAP_YEAR, YEAR, strange_syntax
from sauropod.errors import InvalidGrammar

__all__ = ["Place", "places", "prepared"]

FORMATS = {"date-time", "time", "date", "duration", "email", "hostname", "ipv4", "ipv6", "uuid", "uri"}

_DAY = f"^(?:{YEAR}-(?:0[13-9]|1[0-2])|{YEAR}-02-(?:[01]|2[0-8])|{LEAP_YEAR}-02-29)"
_SECOND = "^[^:]*:[0-9]{2}:[0-5]"
STRICTER = {
    "date": (_DAY,),
    "time": (_SECOND,),
    "date-time": (_DAY, _SECOND),
    "email": (f"^{PATTERNS['email']}$",),
    "hostname": (f"^{PATTERNS['hostname']}$",),
}
"""What llguidance's formats allow too much: days and years that there are not, leap seconds anywhere, names of any
length, and such as stand for letters of other scripts."""

GUIDANCE = {
    "item_separator": r"[ \n\t]*,[ \n\t]*",
    "key_separator": r"[ \n\t]*:[ \n\t]*",
    "whitespace_flexible": "True|False",
}
"""What `x-guidance` may say, and what that may be."""

MOST_PARTS = 2_000
"""Of one keyword: so many properties take half a second, and the time grows by the square."""

MOST_DIGITS = 15
"""Significant digits that a double always keeps."""


class Place(NamedTuple):
    """A schema inside a schema, and the way there."""

    path: str
    schema: dict[str, Any]


def prepared(schema: Any) -> dict[str, Any]:
    """The schema to be given to llguidance; what was given may be changed. Raises `InvalidGrammar`."""
    if schema is False:
        raise InvalidGrammar("The schema is False, which nothing satisfies.")
    root: dict[str, Any] = {} if schema is True else schema
    _check_guidance(root.get("x-guidance", {}))
    found = list(places(root))
    for place in found:
        for keyword, value in list(place.schema.items()):
            _check(place, keyword, value)
    _check_narrow_ranges(found)
    for place in found:
        _tighten(place.schema)
    return root


def places(root: dict[str, Any]) -> Iterator[Place]:
    """The schema itself and all that is reached from it, each once; those that are True or False left out."""
    pending, seen = [Place("", root)], set()
    while pending:
        place = pending.pop()
        if id(place.schema) in seen:
            continue
        seen.add(id(place.schema))
        yield place
        for keyword, find in _INSIDE.items():
            if keyword in place.schema:
                for path, inner in find(place.schema[keyword]):
                    if isinstance(inner, dict):
                        pending.append(Place(f"{place.path}/{keyword}{path}", inner))
        if "$ref" in place.schema:
            pending.append(_referred(root, place))


def _one(value: Any) -> Iterator[tuple[str, Any]]:
    yield "", value


def _listed(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list):
        yield from ((f"/{index}", inner) for index, inner in enumerate(value))


def _named(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        yield from ((f"/{_escaped(name)}", inner) for name, inner in value.items())


def _one_or_listed(value: Any) -> Iterator[tuple[str, Any]]:
    return _listed(value) if isinstance(value, list) else _one(value)


_INSIDE: Mapping[str, Callable[[Any], Iterator[tuple[str, Any]]]] = {
    "properties": _named,
    "patternProperties": _named,
    "additionalProperties": _one,
    "items": _one_or_listed,
    "prefixItems": _listed,
    "additionalItems": _one,
    "anyOf": _listed,
    "oneOf": _listed,
    "allOf": _listed,
}
"""Keywords that hold schemas, and how."""


def _referred(root: dict[str, Any], place: Place) -> Place:
    """What a `$ref` refers to: `#`, or a pointer into the document (RFC 6901)."""
    reference = place.schema["$ref"]
    if not isinstance(reference, str) or not re.fullmatch("#(/.*)?", reference, re.DOTALL):
        _refuse(place, "$ref", "refers to something else than a place in this schema, such as '#/$defs/name'")
    from urllib.parse import unquote

    pointer = unquote(reference[1:])
    target: Any = root
    for step in pointer.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        try:
            target = target[int(name)] if isinstance(target, list) else target[name]
        except (KeyError, IndexError, ValueError, TypeError):
            _refuse(place, "$ref", f"refers to {reference}, which is not there")
    return Place(pointer, target if isinstance(target, dict) else {})


# -- keywords ----------------------------------------------------------------------------------------------------------


def _check(place: Place, keyword: str, value: Any) -> None:
    if keyword != "enum" and isinstance(value, dict | list) and len(value) > MOST_PARTS and keyword not in ANNOTATIONS:
        _refuse(place, keyword, f"has {len(value):,} parts; at most {MOST_PARTS:,} can be enforced in reasonable time")
    if keyword in _INSIDE or keyword in ANNOTATIONS or keyword.startswith("x-"):
        if keyword in ("$id", "id") and place.path:
            _refuse(place, keyword, "changes what references mean, which is not followed")
        if keyword == "patternProperties" and isinstance(value, dict):
            for pattern in value:
                _check_pattern(place, keyword, pattern)
        return
    check = _CHECKS.get(keyword)
    if check is None:
        _refuse(place, keyword, "cannot be enforced")
    check(place, keyword, value)


def _fine(place: Place, keyword: str, value: Any) -> None:
    """llguidance looks at it itself."""


def _check_format(place: Place, keyword: str, value: Any) -> None:
    if not isinstance(value, str) or value not in FORMATS:
        _refuse(
            place, keyword, f"is {value!r}, which cannot be enforced; those that can are {', '.join(sorted(FORMATS))}"
        )


def _check_numbers(place: Place, keyword: str, value: Any) -> None:
    pending = [value]
    while pending:
        each = pending.pop()
        pending += each.values() if isinstance(each, dict) else each if isinstance(each, list) else ()
        if isinstance(each, int | float) and not isinstance(each, bool) and not _is_exact(each):
            _refuse(place, keyword, f"holds {each!r}, which has more than {MOST_DIGITS} digits and cannot be exact")


def _is_exact(number: float) -> bool:
    size = abs(number)
    if size == 0:
        return True
    if not 10.0**-MOST_DIGITS <= size < 10**MOST_DIGITS:
        return False
    return float(f"{number:.{MOST_DIGITS}g}") == number and math.isfinite(number)


def _check_multiple(place: Place, keyword: str, value: Any) -> None:
    _check_numbers(place, keyword, value)
    if isinstance(value, int | float) and len(f"{value:.{MOST_DIGITS}g}".replace(".", "").strip("0")) > 5:
        _refuse(place, keyword, f"is {value!r}: with more than 5 digits it takes too long to be enforced")


def _check_narrow_ranges(found: Sequence[Place]) -> None:
    """llguidance lets a whole number through that is excluded as a bound, if the other bound is less than 1 away.

    Bounds may come from several schemas that apply to one number, so all are looked at together.
    """
    for excluded, others, side in (
        ("exclusiveMinimum", ("maximum", "exclusiveMaximum"), 1),
        ("exclusiveMaximum", ("minimum", "exclusiveMinimum"), -1),
    ):
        bounds = [place.schema[name] for place in found for name in others if name in place.schema]
        near = [bound for bound in bounds if isinstance(bound, int | float) and bound % 1]
        for place in found:
            bound = place.schema.get(excluded)
            if not isinstance(bound, int | float) or bound % 1 or place.schema.get("type") == "integer":
                continue
            if any(0 < (other - bound) * side < 1 for other in near):
                _refuse(place, excluded, f"excludes {bound}, which cannot be enforced with a bound so near")


def _check_pattern(place: Place, keyword: str, value: Any) -> None:
    if not isinstance(value, str):
        return  # llguidance refuses it
    strange = strange_syntax(value)
    if strange:
        _refuse(place, keyword, f"has {strange}, which does not mean the same everywhere")


def _check_unique(place: Place, keyword: str, value: Any) -> None:
    if value is not False:
        _refuse(place, keyword, "cannot be enforced")
    del place.schema[keyword]


def _check_count(place: Place, keyword: str, value: Any) -> None:
    """A name that is written twice is one property, but two to a grammar; only names that are required cannot be."""
    required = place.schema.get("required")
    known = len(set(required)) if isinstance(required, list) and all(isinstance(name, str) for name in required) else 0
    if isinstance(value, int) and value > known + 1:
        _refuse(place, keyword, f"asks for more than one property beyond the {known} that are required by name")


_SEEN = ("$ref", "type", "required", "minLength", "maxLength", "minItems", "maxItems", "maxProperties")
_NUMBERS = ("const", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")

_CHECKS: Mapping[str, Callable[[Place, str, Any], None]] = {
    **dict.fromkeys(_SEEN, _fine),
    **dict.fromkeys(_NUMBERS, _check_numbers),
    "multipleOf": _check_multiple,
    "format": _check_format,
    "pattern": _check_pattern,
    "uniqueItems": _check_unique,
    "minProperties": _check_count,
}
"""Keywords that can be enforced, and what is looked at before. All others are refused by name."""


def _check_guidance(options: Any) -> None:
    given = options if isinstance(options, dict) else {"": options}
    for name, value in given.items():
        if name not in GUIDANCE or not re.fullmatch(GUIDANCE[name], str(value)):
            raise InvalidGrammar(
                f"x-guidance has {name!r}: {value!r}. It may have item_separator (a comma with blanks), key_separator "
                "(a colon with blanks) and whitespace_flexible (true or false)."
            )


def _tighten(schema: dict[str, Any]) -> None:
    patterns = STRICTER.get(schema.get("format", ""), ())
    if patterns and isinstance(schema.setdefault("allOf", []), list):
        schema["allOf"] += [{"pattern": pattern} for pattern in patterns]


def _refuse(place: Place, keyword: str, why: str) -> NoReturn:
    where = f"{place.path}/{_escaped(keyword)}"
    raise InvalidGrammar(f"{keyword} at {where[:200]} {why}. Change the schema, or check the answer yourself.")


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
