"""Calls written as the model would write them, for conversations whose template leaves them out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sauropod._text.atoms import atoms, joined
from sauropod._text.kinds import kind_of
from sauropod._values.messages import ToolCall
from sauropod._values.syntax import ArgumentSyntax, CallSyntax, Part, Slot, Values

__all__ = ["frame_of", "written"]


def written(syntax: CallSyntax, calls: Sequence[ToolCall]) -> str:
    """The calls of one message."""
    texts = ["".join(_parts(syntax, call, index + syntax.first_index)) for index, call in enumerate(calls)]
    return f"{syntax.open}{syntax.between.join(texts)}{syntax.close}" if texts else ""


def call_object(syntax: CallSyntax, name: Any, arguments: Any, id: Any = None) -> dict[str, Any]:
    """What is the name, the arguments and the id of a call, put together as one object."""
    if not syntax.name_path:
        return {name: arguments}
    result: dict[str, Any] = dict.fromkeys(syntax.keys)
    _put(result, syntax.constants)
    _set(result, syntax.name_path, name)
    _set(result, syntax.arguments_path, arguments)
    if syntax.id_path and id is not None:
        _set(result, syntax.id_path, id)
    elif syntax.id_path:
        result.pop(syntax.id_path[0], None)
    return result


def frame_of(syntax: CallSyntax) -> tuple[Part, ...]:
    """How a call that is an object is written, as Python writes JSON: text, and places for what differs."""
    places = {"\ue000": Slot.NAME, '"\ue001"': Slot.ARGUMENTS, "\ue002": Slot.ID}
    return joined(atoms(_json(call_object(syntax, "\ue000", "\ue001", "\ue002")), places))


def _put(target: dict[str, Any], values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        target[key] = dict(value) if isinstance(value, Mapping) else value


def _set(target: dict[str, Any], path: Sequence[str], value: Any) -> None:
    for key in path[:-1]:
        target[key] = target.get(key) or {}
        target = target[key]
    target[path[-1]] = value


def _parts(syntax: CallSyntax, call: ToolCall, index: int) -> Iterator[str]:
    for part in syntax.call:
        match part:
            case Slot.OBJECT:
                yield _json(call_object(syntax, call.name, dict(call.arguments), call.id))
            case Slot.NAME:
                yield call.name
            case Slot.ID:
                yield call.id or ""
            case Slot.INDEX:
                yield str(index)
            case Slot.ARGUMENTS:
                yield _arguments(syntax.arguments, call.arguments)
            case str():
                yield part


def _arguments(syntax: ArgumentSyntax, arguments: Mapping[str, Any]) -> str:
    if not syntax.each:
        return _json(dict(arguments))
    pairs = sorted(arguments.items()) if syntax.ordered else arguments.items()
    return syntax.between.join(_argument(syntax, key, value) for key, value in pairs)


def _argument(syntax: ArgumentSyntax, key: str, value: Any) -> str:
    places = {Slot.KEY: key, Slot.TYPE: syntax.types.get(kind_of(value), ""), Slot.VALUE: _value(syntax, value)}
    return "".join(places[part] if isinstance(part, Slot) else part for part in syntax.each)


def _value(syntax: ArgumentSyntax, value: Any) -> str:
    if syntax.values is Values.LITERAL:
        return _literal(syntax, value)
    if syntax.values is Values.TAGS and isinstance(value, Mapping):
        return "".join(_argument(syntax, key, inner) for key, inner in value.items())
    if syntax.values is Values.TAGS and isinstance(value, list | tuple):
        return "".join(_argument(syntax, syntax.item, inner) for inner in value)
    return value if isinstance(value, str) else _json(value)


def _literal(syntax: ArgumentSyntax, value: Any) -> str:
    if isinstance(value, str):
        return f"{syntax.quote}{value}{syntax.quote}" if syntax.bare_keys else json.dumps(value, ensure_ascii=False)
    if not syntax.bare_keys:
        return repr(value) if value is None or isinstance(value, bool) else _json(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}:{_literal(syntax, inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_literal(syntax, inner) for inner in value) + "]"
    return _json(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
