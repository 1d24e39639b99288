"""Messages: the conversation a client sends, as the messages a model is given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import attrs
from msgspec import Struct

from sauropod import Message, ToolCall
from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.call_ids import model_id
from sauropod.server.wire.chat.tools import INPUT
from sauropod.server.wire.decoding import converted
from sauropod.server.wire.sounds import said, sound_of

__all__ = ["messages_of"]

_UNSEEN = {
    "image_url": "an image",
    "file": "a file",
}


class GivenPart(Struct):
    """A part of a message's content. Of images and files nothing but the type is looked at."""

    type: str
    text: str | None = None
    refusal: str | None = None
    input_audio: Any = None


class GivenFunction(Struct):
    """A function that was called, with its arguments as JSON."""

    name: str
    arguments: str = ""


class GivenCustom(Struct):
    """A custom tool that was called."""

    name: str
    input: str = ""


class GivenCall(Struct):
    """A call the assistant made."""

    id: str
    type: Literal["function", "custom"] = "function"
    function: GivenFunction | None = None
    custom: GivenCustom | None = None


class GivenMessage(Struct):
    """A message as a client writes it."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[GivenPart] | None = None
    name: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    tool_calls: list[GivenCall] | None = None
    function_call: GivenFunction | None = None
    tool_call_id: str | None = None


def messages_of(given: Sequence[Mapping[str, Any]]) -> list[Message]:
    """The conversation. Raises `Problem`, naming the message and the part of it."""
    reading = _Reading()
    return [
        reading.message(converted(GivenMessage, each, f"messages[{at}]"), f"messages[{at}]")
        for at, each in enumerate(given)
    ]


@attrs.define
class _Reading:
    """Results of calls know whose they are."""

    called: dict[str, str] = attrs.field(factory=dict)
    """Names of the tools that were called, by the ids of the calls."""
    last: dict[str, str] = attrs.field(factory=dict)
    """Ids of the calls that were made in the old way, by the names of the functions."""

    def message(self, given: GivenMessage, where: str) -> Message:
        match given.role:
            case "assistant":
                return self._assistant(given, where)
            case "tool":
                return self._tool(given, where)
            case "function":
                return self._function(given, where)
            case "user" if isinstance(given.content, list):
                return said(_heard(given.content, where), name=given.name)
            case role:
                return Message(role, _text(given, where), name=given.name)

    def _assistant(self, given: GivenMessage, where: str) -> Message:
        calls = [self._call(each, f"{where}.tool_calls[{at}]") for at, each in enumerate(given.tool_calls or ())]
        if given.function_call is not None:
            calls.append(self._legacy(given.function_call, f"call_{where}"))
        told = given.content is None and not calls
        if told and given.refusal is None and given.reasoning_content is None:
            raise invalid(
                f"An assistant's message says something or calls something; '{where}' has neither 'content' nor "
                "'tool_calls'.",
                f"{where}.content",
                "missing_required_parameter",
            )
        text = _text(given, where) or given.refusal or ""
        return Message("assistant", text, tool_calls=calls, reasoning=given.reasoning_content, name=given.name)

    def _call(self, given: GivenCall, where: str) -> ToolCall:
        made: ToolCall
        if given.type == "custom" and given.custom is not None:
            made = ToolCall(_called(given.custom.name, where), {INPUT: given.custom.input}, model_id(given.id))
        elif given.type == "function" and given.function is not None:
            made = ToolCall(
                _called(given.function.name, where), _arguments(given.function.arguments), model_id(given.id)
            )
        else:
            raise invalid(
                f"Missing required parameter: '{where}.{given.type}'.",
                f"{where}.{given.type}",
                "missing_required_parameter",
            )
        self.called[given.id] = made.name
        return made

    def _legacy(self, given: GivenFunction, id: str) -> ToolCall:
        self.last[given.name] = id
        return ToolCall(_called(given.name, id), _arguments(given.arguments), id)

    def _tool(self, given: GivenMessage, where: str) -> Message:
        if given.tool_call_id is None:
            raise invalid(
                f"Missing required parameter: '{where}.tool_call_id'.",
                f"{where}.tool_call_id",
                "missing_required_parameter",
            )
        if given.tool_call_id not in self.called:
            raise invalid(
                f"'{where}' is the result of the call {given.tool_call_id!r}, which no assistant's message before it "
                "has among its 'tool_calls'. Send that message too.",
                f"{where}.tool_call_id",
                "invalid_value",
            )
        name = self.called[given.tool_call_id]
        return Message("tool", _text(given, where), tool_call_id=model_id(given.tool_call_id), name=name)

    def _function(self, given: GivenMessage, where: str) -> Message:
        if given.name not in self.last:
            raise invalid(
                f"'{where}' is the result of the function {given.name!r}, which no assistant's message before it "
                "has as its 'function_call'. Send that message too.",
                f"{where}.name",
                "invalid_value",
            )
        return Message("tool", _text(given, where), tool_call_id=self.last[given.name], name=given.name)


def _text(given: GivenMessage, where: str) -> str:
    if given.content is None and given.role != "assistant":
        raise invalid(
            f"Missing required parameter: '{where}.content'.", f"{where}.content", "missing_required_parameter"
        )
    if isinstance(given.content, str):
        return given.content
    return "\n".join(_part(part, f"{where}.content[{at}]") for at, part in enumerate(given.content or ()))


def _heard(content: Sequence[GivenPart], where: str) -> list[str | bytes]:
    """What a user says, and has others hear."""
    return [
        sound_of(part.input_audio, f"{where}.content[{at}]")
        if part.type == "input_audio"
        else _part(part, f"{where}.content[{at}]")
        for at, part in enumerate(content)
    ]


def _part(part: GivenPart, where: str) -> str:
    if part.type == "text" and part.text is not None:
        return part.text
    if part.type == "refusal" and part.refusal is not None:
        return part.refusal
    raise _no_text(part, where)


def _no_text(part: GivenPart, where: str) -> Problem:
    if part.type in ("text", "refusal"):
        place = f"{where}.{part.type}"
        return invalid(f"Missing required parameter: '{place}'.", place, "missing_required_parameter")
    if part.type in _UNSEEN:
        return invalid(
            f"'{where}' is {_UNSEEN[part.type]}, and the models here take text and audio only. Leave it out, or put "
            "it into words.",
            where,
            "unsupported_content",
        )
    if part.type == "input_audio":
        return invalid(f"'{where}' is audio, which only a user's message can have.", where, "unsupported_content")
    return invalid(
        f"'{where}' is of the type {part.type!r}; a part is of the type text, input_audio or refusal.",
        f"{where}.type",
        "invalid_value",
    )


def _called(name: str, where: str) -> str:
    if name:
        return name
    raise invalid(f"'{where}' calls a tool without a name.", where, "invalid_value")


def _arguments(text: str) -> dict[str, Any]:
    """A call's arguments; one that a model once broke off is still told, as text."""
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {"arguments": text}
    return found if isinstance(found, dict) else {"arguments": text}
