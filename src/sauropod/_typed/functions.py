"""Python functions as tools."""

from __future__ import annotations

import contextlib
import functools
import inspect
import json
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Generic, ParamSpec, TypeVar, get_args, get_origin, overload

import attrs

from sauropod._typed.pydantic_types import adapter_of, is_pydantic
from sauropod._typed.schemas import schema_of
from sauropod._values.messages import Tool
from sauropod.errors import UnsupportedInput

__all__ = ["FunctionTool", "as_tool", "as_tools", "tool"]

P = ParamSpec("P")
R = TypeVar("R")


@attrs.frozen(eq=False)
class FunctionTool(Generic[P, R]):
    """A function, and the tool it is to a model. It can still be called."""

    function: Callable[P, R]
    tool: Tool
    _arguments: Any = attrs.field(repr=False)
    """The class of its arguments, as msgspec builds them."""
    _adapted: Mapping[str, Any] = attrs.field(factory=dict, repr=False)
    """Those that pydantic builds."""

    @classmethod
    def of(
        cls, function: Callable[P, R], *, name: str | None = None, description: str | None = None, strict: bool = True
    ) -> FunctionTool[P, R]:
        """Read off a function's signature and docstring. Raises `UnsupportedInput` for one that cannot be a tool."""
        if not callable(function):
            raise UnsupportedInput(f"A tool is a function or a Tool; got {type(function).__name__}.")
        name = name or getattr(_inner(function), "__name__", "") or type(function).__name__
        if inspect.isgeneratorfunction(_inner(function)) or inspect.isasyncgenfunction(_inner(function)):
            raise UnsupportedInput(f"{name} yields; a tool returns what it gives. Return a list, or a text.")
        if not name.isidentifier():
            raise UnsupportedInput(
                f"A tool needs a name of letters; {name!r} is none. Give one: tool(function, name=…)."
            )
        said, parameters = _documented(_inner(function))
        arguments, adapted = _arguments(function, name, parameters)
        try:
            schema = schema_of(arguments)
        except UnsupportedInput as error:
            raise UnsupportedInput(f"The tool {name} has a parameter that no model can write: {error}") from error
        defined = schema.pop("$defs", {})
        own = dict(defined.pop(schema["$ref"].rpartition("/")[2]))
        for key, hint in adapted.items():
            inner = schema_of(hint)
            defined |= inner.pop("$defs", {})
            own["properties"][key] = {**inner, **own["properties"][key]}
        own["properties"] = _with_defaults(own["properties"], function)
        if defined:
            own["$defs"] = defined
        tool = Tool(name, said if description is None else description, own, strict=strict)
        return cls(function, tool, arguments, {key: adapter_of(hint) for key, hint in adapted.items()})

    def call_with(self, arguments: Mapping[str, Any]) -> R:
        """Call the function with arguments as JSON has them. Raises `TypeError` or `ValueError` if they do not fit."""
        import msgspec

        built = msgspec.convert(dict(arguments), self._arguments, strict=False)
        given = {
            name: value for name in self._arguments.__struct_fields__ if (value := getattr(built, name)) is not _UNSET
        }
        for name in given.keys() & self._adapted.keys():
            given[name] = self._adapted[name].validate_python(given[name])
        positional = [
            given.pop(name, parameter.default)
            for name, parameter in inspect.signature(self.function).parameters.items()
            if parameter.kind is parameter.POSITIONAL_ONLY
        ]
        return self.function(*positional, **given)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __get__(self, instance: object, owner: type | None = None) -> FunctionTool[..., R]:
        """As a method: of the instance it is looked up on."""
        if instance is None:
            return self
        method = self.function.__get__(instance, owner)
        tool = self.tool
        return FunctionTool.of(method, name=tool.name, description=tool.description, strict=tool.strict)


@overload
def tool(function: Callable[P, R], /) -> FunctionTool[P, R]: ...


@overload
def tool(
    *, name: str | None = None, description: str | None = None, strict: bool = True
) -> Callable[[Callable[P, R]], FunctionTool[P, R]]: ...


def tool(function: Callable[..., Any] | None = None, /, **options: Any) -> Any:
    """Make a function a tool, as a decorator: `@tool`, or `@tool(name="look", description="…")`.

    Its parameters are described by their annotations, and by the docstring, in any of the usual styles. `strict=False`
    does not hold the model to them. Raises `UnsupportedInput` for a function that cannot be a tool.
    """
    if function is None:
        return lambda function: FunctionTool.of(function, **options)
    return FunctionTool.of(function, **options)


def as_function(given: Any) -> FunctionTool[..., Any]:
    """A function that was given as a tool. Raises `UnsupportedInput` for one that cannot be any."""
    return given if isinstance(given, FunctionTool) else FunctionTool.of(given)


def as_tools(given: Any) -> list[Tool | FunctionTool[..., Any]]:
    """Tools that are to be executed. Raises `UnsupportedInput` for what is no list of tools and functions."""
    if not isinstance(given, Iterable) or isinstance(given, str | Mapping):
        raise UnsupportedInput(f"tools is a list of functions and Tools; got {type(given).__name__}.")
    return [each if isinstance(each, Tool) else as_function(each) for each in given]


def as_tool(given: Any) -> Tool:
    """What the model is told of a tool that was given as a `Tool` or as a function."""
    return given if isinstance(given, Tool) else as_function(given).tool


_UNSET = object()
"""Stands for an argument that was left out, whose default is the function's own business."""


def _unset() -> Any:
    return _UNSET


def _documented(function: Callable[..., Any]) -> tuple[str, Mapping[str, str]]:
    """What a docstring says of a function, and of its parameters."""
    import docstring_parser

    docstring = docstring_parser.parse(inspect.getdoc(function) or "")
    said = [part for part in (docstring.short_description, docstring.long_description) if part]
    return "\n\n".join(said), {each.arg_name: each.description or "" for each in docstring.params}


def _arguments(function: Callable[..., Any], name: str, documented: Mapping[str, str]) -> tuple[Any, Mapping[str, Any]]:
    """A class with a field for each parameter, and the annotations of those that are pydantic's."""
    import msgspec

    try:
        parameters = inspect.signature(function).parameters
        hints = typing.get_type_hints(_plain(function), include_extras=True)
    except (NameError, TypeError, ValueError) as error:
        raise UnsupportedInput(f"The signature of {name} cannot be read ({error}).") from error
    fields: list[tuple[str, Any, Any]] = []
    adapted: dict[str, Any] = {}
    for parameter in parameters.values():
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise UnsupportedInput(
                f"The tool {name} takes *{parameter.name}, which has no schema. Give it parameters with names."
            )
        if parameter.name.startswith("__"):
            raise UnsupportedInput(f"A parameter of the tool {name} is called {parameter.name}. Rename it.")
        hint = hints.get(parameter.name, Any)
        if is_pydantic(parameter.default):
            raise UnsupportedInput(f"{name} has a Field as a default. Write {parameter.name}: Annotated[…, Field(…)].")
        if is_pydantic(hint):
            adapted[parameter.name], hint = hint, Any
        hint = _described(hint, documented.get(parameter.name, ""))
        needed = parameter.default is parameter.empty
        default = msgspec.NODEFAULT if needed else msgspec.field(default_factory=_unset)
        fields.append((parameter.name, hint, default))
    return msgspec.defstruct(name, fields, kw_only=True, forbid_unknown_fields=True), adapted


def _with_defaults(properties: Mapping[str, Any], function: Callable[..., Any]) -> dict[str, Any]:
    """The same, with those defaults that JSON has something for."""
    import msgspec

    told = dict(properties)
    for parameter in inspect.signature(function).parameters.values():
        if parameter.default is not parameter.empty:
            with contextlib.suppress(TypeError, ValueError):
                default = json.loads(msgspec.json.encode(parameter.default))
                told[parameter.name] = {**told[parameter.name], "default": default}
    return told


def _plain(function: Any) -> Any:
    """Where a callable's annotations are."""
    inner = _inner(function)
    if inspect.isclass(inner):
        return inner.__init__
    return inner if inspect.isroutine(inner) else type(inner).__call__


def _inner(function: Any) -> Any:
    """What decorators such as `functools.cache`, and `functools.partial`, are around."""
    while True:
        if isinstance(function, functools.partial):
            function = function.func
        elif hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        else:
            return function


def _described(hint: Any, documented: str) -> Any:
    """An annotation with what is said of it: a text in `Annotated`, or in the docstring."""
    import msgspec

    notes = [each for each in get_args(hint)[1:] if isinstance(each, str)] if get_origin(hint) is Annotated else []
    said = " ".join([*notes, documented]).strip()
    return Annotated[hint, msgspec.Meta(description=said)] if said else hint
