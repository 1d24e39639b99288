"""Python functions as tools."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import attrs
import pydantic
import pytest

from sauropod import FunctionTool, Tool, UnsupportedInput, tool
from sauropod._typed.functions import as_tool


@dataclass
class Place:
    city: str
    country: str = "Norway"


def get_weather(
    place: Place,
    days: Annotated[int, "How far to look ahead."] = 1,
    units: Literal["metric", "imperial"] = "metric",
    *,
    dry: bool | None = None,
) -> str:
    """Tell the weather in a place.

    It is looked up, which takes a while.

    Args:
        place: Where it is asked for.
        units: Of temperatures.

    Returns:
        A sentence.
    """
    return f"{place.city} {place.country} {days} {units} {dry}"


def test_a_function_is_described_by_its_signature_and_its_docstring() -> None:
    described = as_tool(get_weather)
    assert described.name == "get_weather"
    assert described.description == "Tell the weather in a place.\n\nIt is looked up, which takes a while."
    properties = described.parameters["properties"]
    assert properties["place"]["description"] == "Where it is asked for."
    assert properties["days"] == {"description": "How far to look ahead.", "type": "integer", "default": 1}
    assert properties["units"]["enum"] == ["imperial", "metric"]
    assert described.parameters["required"] == ["place"]
    assert described.parameters["additionalProperties"] is False
    assert described.parameters["$defs"]["Place"]["properties"]["city"] == {"type": "string"}


def test_it_is_called_with_instances_and_with_its_own_defaults() -> None:
    made = FunctionTool.of(get_weather)
    assert made.call_with({"place": {"city": "Oslo"}}) == "Oslo Norway 1 metric None"
    assert made.call_with({"place": {"city": "Oslo"}, "days": "3", "dry": True}) == "Oslo Norway 3 metric True"
    assert made(Place("Paris", "France"), 2) == "Paris France 2 metric None"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({}, "place"),
        ({"place": {"city": "Oslo"}, "days": "many"}, "days"),
        ({"place": {"city": "Oslo"}, "surprise": 1}, "surprise"),
        ({"place": "Oslo"}, "place"),
    ],
)
def test_arguments_that_do_not_fit_are_an_error_that_says_which(arguments: dict[str, Any], told: str) -> None:
    with pytest.raises((TypeError, ValueError), match=told):
        FunctionTool.of(get_weather).call_with(arguments)


def test_a_decorator_gives_a_tool_another_name_or_description() -> None:
    @tool
    def plain(city: str) -> int:
        """Count."""
        return len(city)

    @tool(name="count", description="Counts letters.", strict=False)
    def named(city: str) -> int:
        return len(city)

    assert (plain.tool.name, plain.tool.description, plain("Oslo")) == ("plain", "Count.", 4)
    assert (named.tool.name, named.tool.description, named.tool.strict) == ("count", "Counts letters.", False)


def test_methods_partials_and_callable_objects_are_tools_too() -> None:
    @attrs.define
    class Station:
        name: str

        def look(self, hour: int, /, *, far: bool = False) -> str:
            """Look out."""
            return f"{self.name} {hour} {far}"

        def __call__(self, hour: int) -> str:
            return f"{self.name} {hour}"

    station = Station("Oslo")
    assert FunctionTool.of(station.look).call_with({"hour": 3, "far": True}) == "Oslo 3 True"
    assert FunctionTool.of(station).tool.name == "Station"
    assert FunctionTool.of(station).call_with({"hour": 3}) == "Oslo 3"
    partial = FunctionTool.of(functools.partial(station.look, far=True), name="far")
    assert partial.call_with({"hour": 3}) == "Oslo 3 True"


def test_a_function_without_annotations_takes_anything() -> None:
    def plain(a, b=None):  # type: ignore[no-untyped-def]
        return a, b

    made: FunctionTool[..., Any] = FunctionTool.of(plain)
    assert made.tool.parameters["required"] == ["a"]
    assert made.call_with({"a": [1, {"x": None}]}) == ([1, {"x": None}], None)
    assert FunctionTool.of(lambda: 5, name="five").tool.parameters["properties"] == {}


def test_a_tool_that_is_one_stays_as_it_is() -> None:
    given = Tool("clock")
    assert as_tool(given) is given
    made = tool(get_weather)
    assert as_tool(made) is made.tool


def varied(*args: int) -> None: ...
def keyed(**options: int) -> None: ...
def unknown(place: Missing) -> None: ...  # type: ignore[name-defined] # noqa: F821
def impossible(place: complex) -> None: ...


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (varied, r"\*args"),
        (keyed, r"\*options"),
        (unknown, "Missing"),
        (impossible, "impossible"),
        (lambda: 5, "name"),
        (5, "int"),
    ],
)
def test_what_cannot_be_a_tool_is_refused_and_told_why(function: Any, told: str) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        FunctionTool.of(function)


def test_docstrings_of_every_style_are_read() -> None:
    def google(a: int) -> None:
        """Do.

        Args:
            a: the first
        """

    def numpy(a: int) -> None:
        """Do.

        Parameters
        ----------
        a : int
            the first
        """

    def sphinx(a: int) -> None:
        """Do.

        :param a: the first
        """

    for function in (google, numpy, sphinx):
        described = as_tool(function)
        assert described.description == "Do."
        assert described.parameters["properties"]["a"]["description"] == "the first"


class Item(pydantic.BaseModel):
    name: str
    count: Annotated[int, pydantic.Field(ge=1, le=5)] = 1


def test_parameters_may_be_pydantics() -> None:
    def order(item: Item, often: Annotated[int, pydantic.Field(le=3)], more: list[Item] | None = None) -> Any:
        """Order an item."""
        return item, often, more

    made = tool(order)
    assert made.tool.parameters["properties"]["often"] == {"type": "integer", "maximum": 3}
    assert made.tool.parameters["$defs"]["Item"]["properties"]["count"]["maximum"] == 5
    assert made.tool.parameters["required"] == ["item", "often"]
    assert made.call_with({"item": {"name": "x"}, "often": 2}) == (Item(name="x"), 2, None)
    assert made.call_with({"item": {"name": "x"}, "often": 2, "more": [{"name": "y"}]})[2] == [Item(name="y")]
    with pytest.raises(ValueError, match="less than or equal to 3"):
        made.call_with({"item": {"name": "x"}, "often": 9})


def test_annotations_are_found_behind_decorators() -> None:
    @functools.cache
    def timer(minutes: int) -> str:
        """Set a timer."""
        return repr(minutes)

    @dataclass
    class Note:
        """Write a note."""

        text: str
        stars: int = 0

    assert tool(timer).tool.parameters["properties"] == {"minutes": {"type": "integer"}}
    assert tool(timer).call_with({"minutes": "5"}) == "5"
    assert tool(functools.partial(timer, 3)).tool.name == "timer"
    made = tool(Note)
    assert (made.tool.name, made.tool.description) == ("Note", "Write a note.")
    assert made.call_with({"text": "x"}) == Note("x")


def test_a_decorated_method_is_a_tool_of_its_instance() -> None:
    class Station:
        def __init__(self, degrees: int) -> None:
            self.degrees = degrees

        @tool
        def weather(self, city: str) -> str:
            """Tell the weather in a city."""
            return f"{self.degrees} in {city}"

    made = Station(21).weather
    assert list(made.tool.parameters["properties"]) == ["city"]
    assert made.call_with({"city": "Oslo"}) == "21 in Oslo"
    assert Station(4).weather("Oslo") == "4 in Oslo"


def test_positional_arguments_stay_where_they_belong() -> None:
    def place(a: int = 1, b: int = 2, /, c: int = 3) -> tuple[int, int, int]:
        return a, b, c

    assert tool(place).call_with({"b": 5}) == (1, 5, 3)
    assert tool(place).call_with({"c": 7}) == (1, 2, 7)


def test_names_and_functions_that_no_model_can_call_are_refused() -> None:
    def yields() -> Any:
        yield 1

    def hidden(__x: int = 3) -> None: ...  # noqa: PYI063

    def field(a: int = pydantic.Field(default=3, le=5)) -> None: ...

    for function, told in ((yields, "yields"), (hidden, "Rename it"), (field, "Annotated")):
        with pytest.raises(UnsupportedInput, match=told):
            tool(function)
    for name in ("my tool", "a>b", "<|im_end|>", "", 'say "x"', "x" * 200):
        with pytest.raises(UnsupportedInput, match="A tool's name"):
            Tool(name)
    for parameters in ({"type": "string"}, {"type": "array"}):
        with pytest.raises(UnsupportedInput, match="the schema of an object"):
            Tool("f", "", parameters)
