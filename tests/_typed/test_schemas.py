"""Types as JSON schemas, and JSON as instances of them."""

from __future__ import annotations

import datetime
import enum
import json
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import attrs
import jsonschema
import msgspec
import pydantic
import pytest

from sauropod import InvalidOutput, UnsupportedInput
from sauropod._typed.schemas import built, plain_json, schema_of
from sauropod._typed.validity import fault_under


class Size(enum.Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Person:
    name: str
    born: int
    size: Size = Size.SMALL
    friends: list[Person] = field(default_factory=list)


@attrs.define
class City:
    name: str
    people: int | None = None


class Place(TypedDict):
    city: str
    country: Literal["Norway", "France"]


class Point(NamedTuple):
    x: float
    y: float


class Order(pydantic.BaseModel):
    number: int = pydantic.Field(ge=1)
    items: list[str]
    note: str | None = None

    @pydantic.field_validator("items")
    @classmethod
    def _some(cls, items: list[str]) -> list[str]:
        if not items:
            raise ValueError("an order has items")
        return items


@dataclass
class Basket:
    order: Order
    count: Annotated[int, pydantic.Field(ge=1, le=5)]


class Amounts(pydantic.BaseModel):
    sum: Decimal
    by: dict[int, str]


class Circle(msgspec.Struct, tag="circle"):
    radius: float


class Square(msgspec.Struct, tag="square"):
    side: int


Shape = Circle | Square


class Row(msgspec.Struct, array_like=True):
    number: int
    name: str


INSTANCES: list[tuple[Any, Any]] = [
    (Person, Person("Ada", 1815, Size.LARGE, [Person("Charles", 1791)])),
    (City, City("Oslo", 700_000)),
    (City, City("Oslo")),
    (Place, Place(city="Oslo", country="Norway")),
    (Point, Point(1.5, 2.0)),
    (int, 5),
    (list[str], ["a", "b"]),
    (dict[str, int], {"a": 1}),
    (tuple[int, str], (1, "a")),
    (Literal["yes", "no"], "no"),
    (int | str, "x"),
    (bool, True),
    (Size, Size.LARGE),
    (set[int], {1, 2}),
    (datetime.date, datetime.date(2026, 11, 27)),
    (datetime.datetime, datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)),
    (uuid.UUID, uuid.UUID(int=7)),
    (Decimal, Decimal("1.50")),
    (bytes, b"abc"),
    (Annotated[int, msgspec.Meta(ge=0, le=9)], 7),
    (Order, Order(number=3, items=["tea"])),
    (datetime.datetime, datetime.datetime(2026, 11, 27, 12, 30, tzinfo=datetime.UTC)),
    (Annotated[datetime.datetime, msgspec.Meta(tz=False)], datetime.datetime(2026, 11, 27, 12, 30)),
    (datetime.time, datetime.time(18, 30)),
    (datetime.timedelta, datetime.timedelta(minutes=90)),
    (dict[int, str], {-7: "a"}),
    (dict[float, str], {1.5: "a"}),
    (dict[Literal["a", "b"], int], {"b": 1}),
    (dict[Size, int], {Size.LARGE: 3}),
    (dict[datetime.date, int], {datetime.date(2026, 11, 27): 3}),
    (dict[uuid.UUID, None], {uuid.UUID(int=7): None}),
    (frozenset[Literal[1, 2]], frozenset({1})),
    (tuple[int, ...], (1, 2, 3)),
    (Shape, Square(side=2)),
    (list[Shape], [Circle(radius=1.5)]),
    (Row, Row(1, "a")),
    (list[Order], [Order(number=3, items=["tea"])]),
    (Order | None, None),
    (dict[str, Order], {"a": Order(number=3, items=["tea"])}),
    (Basket, Basket(Order(number=3, items=["tea"]), 2)),
    (Annotated[int, pydantic.Field(ge=0, le=9)], 7),
    (Amounts, Amounts(sum=Decimal("1.50"), by={2: "x"})),
]


@pytest.mark.parametrize(("type_", "instance"), INSTANCES, ids=lambda value: getattr(value, "__name__", ""))
def test_what_is_written_of_a_type_is_valid_under_its_schema_and_read_again(type_: Any, instance: Any) -> None:
    text = plain_json(instance) if not isinstance(instance, str) else json.dumps(instance)
    jsonschema.validate(json.loads(text), schema_of(type_))
    assert built(type_, text) == instance


@pytest.mark.parametrize("type_", [Person, City, Place, Order])
def test_an_object_has_what_its_class_has_and_nothing_else(type_: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"name": "x", "born": 1, "surprise": True}, schema_of(type_))


def test_a_property_may_be_called_like_a_keyword() -> None:
    inner = msgspec.defstruct("Inner", [("x", int)])
    outer = msgspec.defstruct("Outer", [("default", inner), ("enum", inner), ("properties", inner), ("type", str)])
    schema = schema_of(outer)
    assert all(each["additionalProperties"] is False for each in schema["$defs"].values())


@pytest.mark.parametrize("type_", [object(), complex, type("Plain", (), {}), dict[int, type], "int"])
def test_a_type_that_json_has_nothing_for_is_refused(type_: Any) -> None:
    with pytest.raises(UnsupportedInput, match="cannot be written as JSON"):
        schema_of(type_)


@pytest.mark.parametrize(
    ("type_", "text"),
    [
        (Person, '{"name": "Ada"}'),
        (Person, "{"),
        (Place, '{"city": "Oslo", "country": "Narnia"}'),
        (Order, '{"number": 3, "items": []}'),
        (int, '"five"'),
    ],
)
def test_what_is_no_instance_is_an_error_that_has_the_text(type_: Any, text: str) -> None:
    with pytest.raises(InvalidOutput) as raised:
        built(type_, text)
    assert raised.value.text == text
    assert getattr(type_, "__name__", "") in str(raised.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        (None, "null"),
        ({"a": [1, True]}, '{"a":[1,true]}'),
        (City("Oslo"), '{"name":"Oslo","people":null}'),
        (Order(number=1, items=["tea"]), '{"number":1,"items":["tea"],"note":null}'),
        (ValueError("no"), '"no"'),
        (datetime.date(2026, 11, 27), '"2026-11-27"'),
    ],
)
def test_anything_can_be_told_to_a_model(value: Any, text: str) -> None:
    assert plain_json(value) == text


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Annotated[int, pydantic.Field(ge=0, le=130)], 136),
        (Basket, {"order": {"number": 1, "items": ["a"]}, "count": 6}),
        (datetime.datetime, ": "),
        (datetime.datetime, "2026-13-01T00:00:00Z"),
        (datetime.time, "noon"),
        (list[datetime.datetime], ["soon"]),
        (dict[int, str], {"name": "Ada"}),
        (dict[Literal["a", "b"], int], {"c": 1}),
        (dict[Size, int], {"SMALL": 1}),
        (dict[datetime.date, int], {"today": 1}),
        (Amounts, {"sum": "Ada", "by": {}}),
        (Amounts, {"sum": "1", "by": {"x": "y"}}),
        (Shape, {"type": "square", "radius": 1}),
        (tuple[int, str], [1, "a", 2]),
    ],
)
def test_what_is_no_instance_is_not_valid_under_the_schema(type_: Any, value: Any) -> None:
    with pytest.raises(InvalidOutput):
        built(type_, json.dumps(value))
    assert fault_under(value, json.dumps(schema_of(type_)))


@pytest.mark.parametrize("type_", [dict[tuple[int, int], str], dict[Annotated[int, msgspec.Meta(ge=3)], str]])
def test_keys_that_cannot_be_held_are_refused(type_: Any) -> None:
    with pytest.raises(UnsupportedInput, match="keys of a dict"):
        schema_of(type_)


def test_what_pydantic_says_is_told_in_full() -> None:
    with pytest.raises(InvalidOutput, match=r"an order has items \(at items\)"):
        built(Order, '{"number": 1, "items": []}')
