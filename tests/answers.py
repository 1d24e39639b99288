"""What a stream of events comes to, and ways to write answers: for tests of all that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
from pydantic_core import from_json

from sauropod import (
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
)
from sauropod._text.exceptions import GENERIC, HARMONY
from sauropod._values.syntax import ArgumentSyntax, CallSyntax, ReasoningSyntax, Slot, Syntax, Values

THINK = ReasoningSyntax(open="<think>", close="</think>")

XML = CallSyntax(
    call=("<tool_call>\n<function=", Slot.NAME, ">\n", Slot.ARGUMENTS, "</function>\n</tool_call>"),
    between="\n",
    arguments=ArgumentSyntax(each=("<parameter=", Slot.KEY, ">\n", Slot.VALUE, "\n</parameter>\n"), values=Values.RAW),
)
PAIRS = CallSyntax(
    call=("<tool_call>", Slot.NAME, "\n", Slot.ARGUMENTS, "</tool_call>"),
    between="\n",
    arguments=ArgumentSyntax(
        each=("<arg_key>", Slot.KEY, "</arg_key>\n<arg_value>", Slot.VALUE, "</arg_value>\n"), values=Values.RAW
    ),
)
PARTS = CallSyntax(
    call=("<call name=", Slot.NAME, ">", Slot.ARGUMENTS, "</call>"),
    between="\n",
    arguments=ArgumentSyntax(
        each=("<arg ", Slot.KEY, ">", Slot.VALUE, "</arg ", Slot.KEY, ">"), values=Values.TAGS, item="item"
    ),
)
PYTHONIC = CallSyntax(
    open="[",
    call=(Slot.NAME, "(", Slot.ARGUMENTS, ")"),
    between=", ",
    close="]",
    arguments=ArgumentSyntax(each=(Slot.KEY, "=", Slot.VALUE), between=", ", values=Values.LITERAL),
)

SYNTAXES: Mapping[str, Syntax] = {
    "json in tags": Syntax(calls=GENERIC, reasoning=THINK),
    "json in a list": Syntax(calls=CallSyntax(open="[TOOL_CALLS] [", call=(Slot.OBJECT,), between=", ", close="]")),
    "json after a name": Syntax(calls=CallSyntax(call=("[TOOL_CALLS]", Slot.NAME, "[ARGS]", Slot.ARGUMENTS))),
    "json by itself": Syntax(
        calls=CallSyntax(call=(Slot.OBJECT,), arguments_path=("parameters",), keys=("name", "parameters"))
    ),
    "ids and sections": Syntax(
        calls=CallSyntax(
            open="<|calls|>",
            call=("<|call|>", Slot.ID, "<|args|>", Slot.ARGUMENTS, "<|/call|>"),
            close="<|/calls|>",
            id_form="functions.{name}:{index}",
        ),
        reasoning=THINK,
    ),
    "marks around arguments": Syntax(calls=XML, reasoning=THINK),
    "marks around keys and values": Syntax(calls=PAIRS, reasoning=THINK),
    "marks around parts": Syntax(calls=PARTS, reasoning=THINK),
    "as Python calls": Syntax(calls=PYTHONIC),
    "harmony": HARMONY,
    "an answer between marks": Syntax(
        calls=CallSyntax(open="<|act|>[", call=(Slot.OBJECT,), between=", ", close="]<|/act|>"),
        reasoning=ReasoningSyntax(open="<|thinks|>", close="<|/thinks|>"),
        content_open="<|says|>",
        content_close="<|/says|>",
    ),
}
"""The kinds of syntax there are."""

WEATHER = Tool(
    "get_weather",
    "Tells the weather.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "dry": {"type": "boolean"},
            "tags": {"type": "array", "items": {"type": "string"}},
        },
        "required": ["city"],
        "additionalProperties": False,
    },
)
TIME = Tool(
    "get_time",
    "Tells the time.",
    {"type": "object", "properties": {"zone": {"type": "string"}}, "additionalProperties": False},
)
TOOLS = (WEATHER, TIME)


@attrs.define
class Heard:
    """An answer, as its events tell it."""

    text: str = ""
    reasoning: str = ""
    calls: list[ToolCall] = attrs.field(factory=list)
    warnings: list[str] = attrs.field(factory=list)

    @property
    def plain_calls(self) -> list[tuple[str, Mapping[str, Any]]]:
        """The calls without their ids."""
        return [(call.name, call.arguments) for call in self.calls]


def heard(events: Iterable[StreamEvent]) -> Heard:
    """What events come to. Fails if they are not as they have to be: each call opened, told, and closed or dropped."""
    result = Heard()
    opened: ToolCallOpened | None = None
    arguments, count = "", 0
    for event in events:
        match event:
            case TextDelta():
                assert opened is None
                assert event.text
                result.text += event.text
                result.warnings += [event.warning] if event.warning else []
            case ReasoningDelta():
                assert opened is None
                assert event.text
                result.reasoning += event.text
            case ToolCallOpened():
                assert opened is None
                assert event.id
                assert event.name
                assert event.call == count
                opened, arguments, count = event, "", count + 1
            case ToolCallDelta():
                assert opened is not None
                assert event.call == opened.call
                arguments += event.arguments
                assert isinstance(from_json(arguments, allow_partial=True), dict)
            case ToolCallClosed():
                assert opened is not None
                assert event.tool_call == ToolCall(opened.name, json.loads(arguments), opened.id)
                result.calls.append(event.tool_call)
                opened = None
            case ToolCallDropped():
                assert opened is not None
                assert event.warning
                opened = None
    assert opened is None
    return result


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    """The text cut at these places."""
    places = sorted({place for place in cuts if 0 < place < len(text)})
    return [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]
