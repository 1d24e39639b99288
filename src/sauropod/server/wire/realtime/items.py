"""Items of a conversation, as clients write and read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated, Literal, TypeAlias

import attrs
import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from sauropod import CallItem, Item, ResultItem, SaidItem, ToolCall
from sauropod.errors import UnsupportedInput
from sauropod.server.problems import invalid
from sauropod.server.wire.call_ids import model_id, wire_id
from sauropod.server.wire.realtime.formats import Format, whole_audio, written_audio

__all__ = [
    "FunctionCall",
    "FunctionOutput",
    "GivenItem",
    "MessageItem",
    "Part",
    "WireItem",
    "arguments_of",
    "item_of",
    "wire_item",
]

Status: TypeAlias = Literal["in_progress", "completed", "incomplete"]
TEXTS = ("input_text", "output_text", "text")
SOUNDS = ("input_audio", "output_audio", "audio")


class GivenPart(Struct, kw_only=True):
    """A part of a message that a client sends."""

    type: str
    text: str | None = None
    audio: str | None = None
    transcript: str | None = None


class GivenItem(Struct, kw_only=True):
    """An item that a client sends. What it needs depends on its type."""

    type: str
    id: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    role: str | None = None
    content: list[GivenPart] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | None = None


class Part(Struct, kw_only=True):
    """A part of a message that a client is told of."""

    type: str
    text: str | UnsetType = UNSET
    transcript: str | UnsetType | None = UNSET
    audio: str | UnsetType = UNSET


class MessageItem(Struct, tag="message", tag_field="type", kw_only=True):
    """Something said or written."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    status: Status
    role: Literal["user", "assistant", "system"]
    content: list[Part]


class FunctionCall(Struct, tag="function_call", tag_field="type", kw_only=True):
    """The model calls a function."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    status: Status
    call_id: str
    name: str
    arguments: str


class FunctionOutput(Struct, tag="function_call_output", tag_field="type", kw_only=True):
    """What it gave."""

    id: str
    object: Literal["realtime.item"] = "realtime.item"
    status: Status = "completed"
    call_id: str
    output: str


WireItem: TypeAlias = MessageItem | FunctionCall | FunctionOutput


def wire_item(item: Item, sound: Format | None = None) -> WireItem:
    """The item as clients read it; with the user's audio in a format, if there is one."""
    match item:
        case SaidItem():
            return MessageItem(id=item.id, status=item.status, role=item.role, content=_parts(item, sound))
        case CallItem(call):
            return FunctionCall(
                id=item.id,
                status=item.status,
                call_id=wire_id(call.id or item.id),
                name=call.name,
                arguments="" if item.status == "in_progress" else arguments_of(call),
            )
        case ResultItem(call_id, output):
            return FunctionOutput(id=item.id, call_id=wire_id(call_id), output=output)


def arguments_of(call: ToolCall) -> str:
    """As JSON."""
    return msgspec.json.encode(call.arguments).decode()


def item_of(given: GivenItem, form: Format, param: str = "item") -> Item:
    """What a client sent, as the library has it; sound is in that format. Raises `Problem`."""
    item = _item(given, form, param)
    return item if given.id is None else attrs.evolve(item, id=given.id)


def _item(given: GivenItem, form: Format, param: str) -> Item:
    match given.type:
        case "message":
            return _said(given, form, param)
        case "function_call":
            return CallItem(_call(given, param))
        case "function_call_output":
            call_id = _required(given.call_id, f"{param}.call_id")
            return ResultItem(model_id(call_id), _required(given.output, f"{param}.output"))
        case other:
            raise invalid(
                f"'{param}' is of the type {other!r}; a conversation takes message, function_call and "
                "function_call_output here.",
                f"{param}.type",
                "invalid_value",
            )


def _parts(item: SaidItem, sound: Format | None) -> list[Part]:
    if item.role == "assistant":
        if item.status == "in_progress":
            return []
        text = item.text or ""
        return [Part(type="output_audio", transcript=text) if item.spoken else Part(type="output_text", text=text)]
    if item.role == "user" and (item.spoken or item.text is None):
        heard = None if sound is None or item.audio is None else written_audio(item.audio, sound)
        return [Part(type="input_audio", transcript=item.text, audio=UNSET if heard is None else heard)]
    return [Part(type="input_text", text=item.text or "")]


def _said(given: GivenItem, form: Format, param: str) -> SaidItem:
    role = _role(given.role, f"{param}.role")
    parts = given.content or []
    for at, part in enumerate(parts):
        _check_part(part, role, f"{param}.content[{at}]")
    sounds = [part for part in parts if part.type in SOUNDS]
    if role == "user" and sounds:
        return _heard(sounds[0], parts, form, f"{param}.content[0]")
    texts = [_text(part, f"{param}.content[{at}]") for at, part in enumerate(parts)]
    return SaidItem(role, "\n".join(texts), spoken=bool(sounds))


def _role(role: str | None, param: str) -> Literal["user", "assistant", "system"]:
    match role:
        case "user" | "assistant" | "system":
            return role
        case _:
            raise invalid(f"'{param}' is 'user', 'assistant' or 'system'; got {role!r}.", param, "invalid_value")


def _check_part(part: GivenPart, role: str, param: str) -> None:
    """Raises `Problem`."""
    if part.type == "input_image":
        raise invalid("No model here sees images in a session. Send text or audio.", f"{param}.type", "invalid_value")
    allowed = {
        "user": ("input_text", "input_audio", "text"),
        "system": ("input_text", "text"),
        "assistant": ("output_text", "output_audio", "text", "audio"),
    }[role]
    if part.type not in allowed:
        raise invalid(
            f"A part of a message of the {role}'s is of the type {', '.join(allowed[:2])}; got {part.type!r}.",
            f"{param}.type",
            "invalid_value",
        )


def _text(part: GivenPart, param: str) -> str:
    if part.type in SOUNDS:  # what the assistant once said: only its words count
        return part.transcript or ""
    return _required(part.text, f"{param}.text")


def _heard(part: GivenPart, parts: Sequence[GivenPart], form: Format, param: str) -> SaidItem:
    if len(parts) > 1:
        raise invalid(
            "A message with audio has that one part. Send texts as items of their own.", param, "invalid_value"
        )
    if part.audio is None and part.transcript is not None:
        return SaidItem("user", part.transcript, spoken=True)
    audio = whole_audio(_required(part.audio, f"{param}.audio"), form, f"{param}.audio")
    return SaidItem("user", part.transcript, audio, spoken=True)


def _call(given: GivenItem, param: str) -> ToolCall:
    name, text = _required(given.name, f"{param}.name"), _required(given.arguments, f"{param}.arguments")
    call_id = given.call_id or given.id
    try:
        arguments = json.loads(text or "{}")
    except (ValueError, RecursionError):
        arguments = None
    if not isinstance(arguments, dict):
        raise invalid(f"'{param}.arguments' is an object in JSON.", f"{param}.arguments", "invalid_value")
    try:
        return ToolCall(name, arguments, None if call_id is None else model_id(call_id))
    except UnsupportedInput as error:
        raise invalid(str(error), f"{param}.name", "invalid_value") from None


def _required(value: str | None, param: str) -> str:
    if value is None:
        raise invalid(f"Missing required parameter: '{param}'.", param, "missing_required_parameter")
    return value
