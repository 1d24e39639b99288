"""Python types as JSON schemas, exactly: whatever is valid can be made an instance, but for what only Python can check.

msgspec tells what a type is made of. Its own schemas leave out what JSON Schema has no one word for, such as which keys
a dict of numbers has; here that is said in other words.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from sauropod._values.patterns import FORMATS, LOCAL_DATE_TIME, LOCAL_TIME
from sauropod.errors import UnsupportedInput

__all__ = ["DECIMAL", "INTEGER_KEY", "NUMBER_KEY", "inspected"]

DECIMAL = "^-?(0|[1-9][0-9]{0,27})(\\.[0-9]{1,28})?$"
BASE64 = "^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
INTEGER_KEY = "^(0|-?[1-9][0-9]{0,17})$"
NUMBER_KEY = "^-?(0|[1-9][0-9]{0,14})(\\.[0-9]{1,15})?$"
TIME_DELTA = "^P(?:[0-9]{1,5}D|(?:[0-9]{1,5}D)?T(?:[0-9]{1,4}H|[0-9]{1,5}M|[0-9]{1,6}S))$"

_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
    "multiple_of": "multipleOf",
}
_LENGTHS = {"min_length": "minLength", "max_length": "maxLength", "pattern": "pattern"}
_SIZES = {"min_length": "minItems", "max_length": "maxItems"}
_COUNTS = {"min_length": "minProperties", "max_length": "maxProperties"}
_TEXTS: Mapping[str, Mapping[str, Any]] = {
    "DateType": {"format": "date"},
    "UUIDType": {"format": "uuid"},
    "DecimalType": {"pattern": DECIMAL},
    "BytesType": {"pattern": BASE64},
    "ByteArrayType": {"pattern": BASE64},
    "MemoryViewType": {"pattern": BASE64},
    "TimeDeltaType": {"pattern": TIME_DELTA},
}


def inspected(type_: Any) -> dict[str, Any]:
    """The JSON schema of a type. Raises `UnsupportedInput` for one that JSON has nothing for, and what msgspec does."""
    import msgspec

    schemas = _Schemas()
    schema = schemas.of(msgspec.inspect.type_info(type_))
    return {**schema, "$defs": schemas.definitions} if schemas.definitions else schema


@attrs.define
class _Schemas:
    """Schemas of types, and of the classes among them, which may refer to themselves."""

    definitions: dict[str, Any] = attrs.field(factory=dict)
    _names: dict[Any, str] = attrs.field(factory=dict)

    def of(self, info: Any) -> dict[str, Any]:
        """A type's schema."""
        kind = type(info).__name__
        if kind in _TEXTS:
            return {"type": "string", **_TEXTS[kind]}
        match kind:
            case "Metadata":
                return {**self.of(info.type), **(info.extra_json_schema or {})}
            case "AnyType" | "RawType":
                return {}
            case "NoneType":
                return {"type": "null"}
            case "BoolType":
                return {"type": "boolean"}
            case "IntType":
                return {"type": "integer", **_said(info, _BOUNDS)}
            case "FloatType":
                return {"type": "number", **_said(info, _BOUNDS)}
            case "StrType":
                return {"type": "string", **_said(info, _LENGTHS)}
            case "DateTimeType":
                return {
                    "type": "string",
                    **({"pattern": LOCAL_DATE_TIME} if info.tz is False else _format("date-time")),
                }
            case "TimeType":
                return {"type": "string", **(_format("time") if info.tz else {"pattern": LOCAL_TIME})}
            case "LiteralType":
                return {"enum": list(info.values)}
            case "EnumType":
                return {"enum": [each.value for each in info.cls]}
            case "UnionType":
                return {"anyOf": [self.of(each) for each in info.types]}
            case "ListType" | "SetType" | "FrozenSetType" | "VarTupleType" | "CollectionType":
                return {"type": "array", "items": self.of(info.item_type), **_said(info, _SIZES)}
            case "TupleType":
                return self._row([self.of(each) for each in info.item_types])
            case "DictType":
                return {"type": "object", **self._keys(info), **_said(info, _COUNTS)}
            case "StructType" | "DataclassType" | "TypedDictType" | "NamedTupleType":
                return self._class(info, kind)
        raise UnsupportedInput(
            f"{getattr(getattr(info, 'cls', None), '__name__', kind)} cannot be written as JSON. Use a dataclass, an "
            "attrs class, a TypedDict, a pydantic model, or plain types such as str, int, list[str] and Literal['a']."
        )

    def _keys(self, info: Any) -> dict[str, Any]:
        """The properties of a dict, whose keys may be more than texts."""
        key, value = info.key_type, self.of(info.value_type)
        key = key.type if type(key).__name__ == "Metadata" else key
        kind, said = type(key).__name__, self.of(key)
        if kind in ("LiteralType", "EnumType"):
            return {"properties": {str(each): value for each in said["enum"]}, "additionalProperties": False}
        if kind == "AnyType" or said == {"type": "string"}:
            return {"additionalProperties": value} if value else {}
        pattern = {"IntType": INTEGER_KEY, "FloatType": NUMBER_KEY}.get(kind) or said.get("pattern")
        if "format" in said:
            pattern = f"^{FORMATS[said['format']]}$"
        if pattern is None or said.keys() - {"type", "pattern", "format"}:
            raise UnsupportedInput("The keys of a dict are texts, numbers, choices, dates or UUIDs, without bounds.")
        return {"patternProperties": {pattern: value}, "additionalProperties": False}

    def _class(self, info: Any, kind: str) -> dict[str, Any]:
        """A reference to the schema of a class."""
        if info.cls not in self._names:
            name = next(name for name in _numbered(_plain_name(info.cls)) if name not in self.definitions)
            self._names[info.cls] = name
            self.definitions[name] = {}  # its place, for what refers to it inside
            self.definitions[name].update(self._row_of(info) if _is_row(info, kind) else self._object(info))
        return {"$ref": f"#/$defs/{self._names[info.cls]}"}

    def _object(self, info: Any) -> dict[str, Any]:
        properties: dict[str, Any] = {}
        tag = getattr(info, "tag_field", None)
        if tag is not None:
            properties[tag] = {"enum": [info.tag]}
        properties |= {each.encode_name: self._field(each) for each in info.fields}
        required = [*([tag] if tag is not None else []), *(each.encode_name for each in info.fields if each.required)]
        said = _documented(info.cls)
        return {
            "type": "object",
            **({"description": said} if said else {}),
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }

    def _field(self, field: Any) -> dict[str, Any]:
        import msgspec

        schema = self.of(field.type)
        default = getattr(field, "default", msgspec.NODEFAULT)
        if default is msgspec.NODEFAULT:
            return schema
        try:
            return {**schema, "default": json.loads(msgspec.json.encode(default))}
        except (TypeError, ValueError):
            return schema

    def _row_of(self, info: Any) -> dict[str, Any]:
        """A class that is written as a list."""
        tag = getattr(info, "tag", None)
        first = [{"enum": [tag]}] if tag is not None else []
        needed = sum(each.required for each in info.fields)
        return self._row([*first, *(self.of(each.type) for each in info.fields)], len(first) + needed)

    def _row(self, items: list[dict[str, Any]], needed: int | None = None) -> dict[str, Any]:
        least = len(items) if needed is None else needed
        return {"type": "array", "prefixItems": items, "items": False, "minItems": least, "maxItems": len(items)}


def _is_row(info: Any, kind: str) -> bool:
    return kind == "NamedTupleType" or bool(getattr(info, "array_like", False))


def _said(info: Any, words: Mapping[str, str]) -> dict[str, Any]:
    """What a type says of its bounds, in the words of JSON Schema."""
    return {word: value for name, word in words.items() if (value := getattr(info, name, None)) is not None}


def _format(name: str) -> dict[str, str]:
    return {"format": name}


def _documented(cls: Any) -> str:
    """A class's own docstring, and not one that a decorator has made."""
    said = cls.__dict__.get("__doc__") or ""
    made = said.startswith((f"{cls.__name__}(", "dict(", "Method generated by attrs"))
    return "" if made else inspect.cleandoc(said)


def _plain_name(cls: Any) -> str:
    """A class's name, as it may stand in a reference."""
    return "".join(letter if letter.isalnum() else "_" for letter in cls.__name__)


def _numbered(name: str) -> Iterator[str]:
    yield name
    number = 1
    while True:
        number += 1
        yield f"{name}_{number}"
