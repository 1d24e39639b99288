"""Python types as JSON schemas, and texts as instances of them.

The work is msgspec's, which knows dataclasses, attrs classes, TypedDicts, NamedTuples, enums and plain types; a
pydantic model does its own. What is done here is to make a schema say all that is meant: objects have the properties of
their class and no others, and what only msgspec has a word for is said in words that everybody has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sauropod.errors import InvalidOutput, UnsupportedInput

__all__ = ["built", "plain_json", "schema_of"]

_PATTERNS = {
    "decimal": r"^-?(0|[1-9][0-9]{0,27})(\.[0-9]{1,28})?$",
    "base64": r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$",
}


def schema_of(type_: Any) -> dict[str, Any]:
    """The JSON schema of a type. Raises `UnsupportedInput` for a type that JSON has nothing for."""
    if _is_pydantic(type_):
        schema: dict[str, Any] = _closed(type_.model_json_schema())
        return schema
    import msgspec

    try:
        schema = msgspec.json.schema(type_)
    except Exception as error:  # a type can be wrong in many ways
        raise UnsupportedInput(
            f"{_named(type_)} cannot be written as JSON ({_first_line(error)}). Use a dataclass, an attrs class, a "
            "TypedDict, a pydantic model, or plain types such as str, int, list[str] and Literal['a', 'b']."
        ) from error
    return dict(_closed(schema))


def built(type_: Any, text: str) -> Any:
    """An instance of a type from a JSON text. Raises `InvalidOutput` if the text is not of it."""
    import msgspec

    try:
        if _is_pydantic(type_):
            return type_.model_validate_json(text)
        return msgspec.json.decode(text, type=type_, strict=False)
    except Exception as error:  # validators of the type's own may raise what they like
        raise InvalidOutput(
            f"The model's answer is no {_named(type_)}: {_first_line(error)}. Ask again, or say more of what you want.",
            text=text,
        ) from error


def plain_json(value: Any) -> str:
    """Any value as JSON; a text as it is, and what JSON has nothing for as its `str`."""
    if isinstance(value, str):
        return value
    import msgspec

    return msgspec.json.encode(value, enc_hook=_plain).decode()


def _plain(value: Any) -> Any:
    """What msgspec does not know, as something that it does."""
    return value.model_dump(mode="json") if _is_pydantic(type(value)) else str(value)


def _is_pydantic(type_: Any) -> bool:
    return hasattr(type_, "model_json_schema") and hasattr(type_, "model_validate_json")


def _closed(schema: Any) -> Any:
    """The schema with every object closed, and with words that everybody knows."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: _closed_under(key, value) for key, value in schema.items()}
    if "properties" in closed and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    if closed.get("uniqueItems") is True:
        del closed["uniqueItems"]  # of a set, which takes what is there twice as one
    for keyword in ("format", "contentEncoding"):
        if isinstance(closed.get(keyword), str) and closed[keyword] in _PATTERNS:
            closed["pattern"] = _PATTERNS[closed.pop(keyword)]
    return closed


def _closed_under(keyword: str, value: Any) -> Any:
    if keyword in ("properties", "patternProperties", "$defs"):
        return {name: _closed(schema) for name, schema in value.items()}
    return value if keyword in ("default", "enum", "const", "examples") else _closed(value)


def _named(type_: Any) -> str:
    return getattr(type_, "__name__", None) or str(type_)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
