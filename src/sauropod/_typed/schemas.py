"""Python types as JSON schemas, and texts as instances of them.

The work is msgspec's, which knows dataclasses, attrs classes, TypedDicts, NamedTuples, enums and plain types; what has
something of pydantic's in it is pydantic's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sauropod._typed.inspected import inspected
from sauropod._typed.pydantic_types import adapter_of, is_pydantic, pydantic_schema
from sauropod.errors import InvalidOutput, UnsupportedInput

__all__ = ["built", "fault_in", "plain_json", "schema_of"]


def schema_of(type_: Any) -> dict[str, Any]:
    """The JSON schema of a type. Raises `UnsupportedInput` for a type that JSON has nothing for."""
    try:
        return _closed(pydantic_schema(type_)) if is_pydantic(type_) else inspected(type_)
    except UnsupportedInput:
        raise
    except Exception as error:  # a type can be wrong in many ways
        raise UnsupportedInput(
            f"{_named(type_)} cannot be written as JSON ({fault_in(error)}). Use a dataclass, an attrs class, a "
            "TypedDict, a pydantic model, or plain types such as str, int, list[str] and Literal['a', 'b']."
        ) from error


def built(type_: Any, text: str) -> Any:
    """An instance of a type from a JSON text. Raises `InvalidOutput` if the text is not of it."""
    import msgspec

    try:
        if is_pydantic(type_):
            return adapter_of(type_).validate_json(text)
        return msgspec.json.decode(text, type=type_, strict=False)
    except Exception as error:  # validators of the type's own may raise what they like
        raise InvalidOutput(
            f"The model's answer is no {_named(type_)}: {fault_in(error)}. Ask again, or say more of what you want.",
            text=text,
        ) from error


def plain_json(value: Any) -> str:
    """Any value as JSON; a text as it is, and what JSON has nothing for as its `str`."""
    if isinstance(value, str):
        return value
    import msgspec

    return msgspec.json.encode(value, enc_hook=_plain).decode()


def fault_in(error: Exception) -> str:
    """What an error says, on one line."""
    if callable(getattr(error, "errors", None)):  # pydantic's, which says the least first
        faults = [
            f"{each['msg']} (at {'.'.join(map(str, each['loc']))})" if each.get("loc") else str(each["msg"])
            for each in error.errors()[:3]  # type: ignore[attr-defined]
        ]
        return "; ".join(faults).rstrip(".")
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _plain(value: Any) -> Any:
    """What msgspec does not know, as something that it does."""
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else str(value)


def _closed(schema: Any) -> Any:
    """A schema of pydantic's with every object closed."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    closed = {key: _closed_under(key, value) for key, value in schema.items()}
    if "properties" in closed and closed.get("type") == "object":
        closed.setdefault("additionalProperties", False)
    if closed.get("uniqueItems") is True:
        del closed["uniqueItems"]  # of a set, which takes what is there twice as one
    return closed


def _closed_under(keyword: str, value: Any) -> Any:
    if keyword in ("properties", "patternProperties", "$defs"):
        return {name: _closed(schema) for name, schema in value.items()}
    return value if keyword in ("default", "enum", "const", "examples") else _closed(value)


def _named(type_: Any) -> str:
    return getattr(type_, "__name__", None) or str(type_)
