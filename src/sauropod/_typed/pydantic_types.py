"""What belongs to pydantic, which does its own work; nothing here needs it to be installed."""

from __future__ import annotations

import dataclasses
import sys
import typing
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from sauropod._typed.inspected import DECIMAL, INTEGER_KEY, NUMBER_KEY
from sauropod._values.patterns import FORMATS

__all__ = ["adapter_of", "is_pydantic", "pydantic_schema"]

PYDANTIC = ("pydantic", "pydantic_core", "annotated_types")
"""Packages whose classes, and words in `Annotated`, only pydantic understands."""


def is_pydantic(type_: Any) -> bool:
    """Whether a model, a field or a bound of pydantic's is anywhere in a type."""
    if "pydantic" not in sys.modules and "annotated_types" not in sys.modules:
        return False
    seen: list[Any] = []
    pending = [type_]
    while pending:
        each = pending.pop()
        if any(each is other for other in seen):
            continue
        seen.append(each)
        if _is_its_own(each):
            return True
        pending += _inside(each)
    return False


def adapter_of(type_: Any) -> Any:
    """A `pydantic.TypeAdapter`. Raises what that raises."""
    import pydantic

    return pydantic.TypeAdapter(type_)


def pydantic_schema(type_: Any) -> dict[str, Any]:
    """The JSON schema of a type that is pydantic's, with what that leaves open: decimals, and the keys of dicts."""
    from pydantic.json_schema import GenerateJsonSchema

    class Exact(GenerateJsonSchema):
        def decimal_schema(self, schema: Any) -> dict[str, Any]:
            bounds: dict[str, Any] = self.float_schema({**schema, "type": "float"})  # type: ignore[typeddict-item]
            return bounds if len(bounds) > 1 else {"type": "string", "pattern": DECIMAL}

        def dict_schema(self, schema: Any) -> dict[str, Any]:
            written = super().dict_schema(schema)
            pattern = _KEYS.get(schema.get("keys_schema", {}).get("type", "str"))
            if pattern is None:
                return written
            values = written.pop("additionalProperties", True)
            return {**written, "patternProperties": {pattern: values}, "additionalProperties": False}

    schema: dict[str, Any] = adapter_of(type_).json_schema(schema_generator=Exact)
    return schema


_KEYS = {"int": INTEGER_KEY, "float": NUMBER_KEY, "date": f"^{FORMATS['date']}$", "uuid": f"^{FORMATS['uuid']}$"}


def _is_its_own(value: Any) -> bool:
    if isinstance(value, type):
        return hasattr(value, "__pydantic_validator__") or hasattr(value, "__get_pydantic_core_schema__")
    return type(value).__module__.partition(".")[0] in PYDANTIC


def _inside(type_: Any) -> Iterator[Any]:
    """What a type is made of: its arguments, what is said of them, and the fields of a class with their defaults."""
    yield from get_args(type_)
    origin = get_origin(type_)
    cls = origin if isinstance(origin, type) else type_
    if not isinstance(cls, type) or not _has_fields(cls):
        return
    try:
        yield from typing.get_type_hints(cls, include_extras=True).values()
    except (NameError, TypeError):
        return  # whoever makes a schema of it says so
    if dataclasses.is_dataclass(cls):
        yield from (field.default for field in dataclasses.fields(cls) if _is_its_own(field.default))


def _has_fields(cls: type) -> bool:
    return (
        dataclasses.is_dataclass(cls)
        or hasattr(cls, "__attrs_attrs__")
        or hasattr(cls, "__struct_fields__")
        or typing.is_typeddict(cls)
        or hasattr(cls, "_fields")
    )
