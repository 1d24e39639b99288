"""What was found in an answer and not given out yet."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from typing import Any

import attrs

from sauropod._text.source import Malformed
from sauropod._values.completion import (
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
)
from sauropod._values.messages import ToolCall

__all__ = ["Found", "parsed"]


def parsed(text: str) -> Any:
    """JSON that a model wrote. Raises `Malformed` for what cannot be told to anybody else."""
    try:
        return json.loads(text, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"its arguments cannot be read ({error})") from None


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"{text[:40]} is too large a number")
    return number


@attrs.define
class Found:
    """Events of one answer. Of one kind, one after another are one."""

    index: int
    new_id: Callable[[], str]
    _events: list[StreamEvent] = attrs.field(factory=list)
    _opened: ToolCallOpened | None = None
    _arguments: list[str] = attrs.field(factory=list)
    _calls: int = 0

    def drain(self) -> list[StreamEvent]:
        """What there is, which is given out now."""
        events, self._events = self._events, []
        return events

    def text(self, text: str, warning: str = "") -> None:
        if text:
            self._add(TextDelta(text, self.index, (), warning))

    def thought(self, text: str) -> None:
        if text:
            self._add(ReasoningDelta(text, self.index))

    @property
    def in_call(self) -> bool:
        return self._opened is not None

    def open(self, name: str, id: str) -> None:
        """A call of this tool. The id may be empty."""
        self._arguments = []
        self._opened = ToolCallOpened(self._calls, id or self.new_id(), name, self.index)
        self._events.append(self._opened)
        self._calls += 1

    def argue(self, text: str) -> None:
        """More of the arguments of the call, as JSON."""
        assert self._opened is not None
        self._arguments.append(text)
        self._add(ToolCallDelta(self._opened.call, text, self.index))

    def close(self) -> None:
        """The call is complete. Raises `Malformed` if there is none."""
        opened = self._opened
        if opened is None:
            raise Malformed("its name is missing")
        call = ToolCall(opened.name, parsed("".join(self._arguments)), opened.id)
        self._opened = None
        self._events.append(ToolCallClosed(opened.call, call, self.index))

    def drop(self, warning: str) -> None:
        """What is being read is no call; one that was opened is taken back."""
        if self._opened is not None:
            self._events.append(ToolCallDropped(self._opened.call, warning, self.index))
            self._opened = None

    def _add(self, event: TextDelta | ReasoningDelta | ToolCallDelta) -> None:
        """One more, or more of the last."""
        match self._events[-1] if self._events else None, event:
            case ToolCallDelta() as last, ToolCallDelta():
                self._events[-1] = attrs.evolve(last, arguments=last.arguments + event.arguments)
            case ReasoningDelta() as last, ReasoningDelta():
                self._events[-1] = attrs.evolve(last, text=last.text + event.text)
            case TextDelta(warning="") as last, TextDelta(warning=""):
                self._events[-1] = attrs.evolve(last, text=last.text + event.text)
            case _:
                self._events.append(event)
