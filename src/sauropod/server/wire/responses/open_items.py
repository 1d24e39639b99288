"""Open items: what is being written, from its beginning to its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Self

import attrs
from msgspec import UNSET

from sauropod import TokenLogprob, ToolCall
from sauropod.server.wire.decoding import encoded
from sauropod.server.wire.responses import events as wire
from sauropod.server.wire.responses.events import Event
from sauropod.server.wire.responses.items import (
    CustomToolCall,
    FunctionCall,
    Logprob,
    Message,
    OutputItem,
    OutputText,
    Reasoning,
    ReasoningText,
    TopLogprob,
)
from sauropod.server.wire.responses.prompts import concealed

__all__ = ["Number", "OpenCall", "OpenItem", "OpenReasoning", "OpenText", "logprob_of"]

Number = Callable[[], int]


def logprob_of(token: TokenLogprob) -> Logprob:
    """As the wire has it. A piece that is no whole character is told by its bytes, and shown as it can be."""
    alternatives = [
        TopLogprob(each.piece.decode("utf-8", "replace"), each.logprob, list(each.piece)) for each in token.alternatives
    ]
    return Logprob(token.piece.decode("utf-8", "replace"), token.logprob, list(token.piece), alternatives)


@attrs.define
class OpenText:
    """A message of the assistant with one part."""

    index: int
    id: str
    text: list[str] = attrs.field(factory=list)
    logprobs: list[Logprob] = attrs.field(factory=list)

    @classmethod
    def new(cls, index: int, new_id: Callable[[str], str], encrypted: bool) -> Self:
        return cls(index, new_id("msg"))

    def begin(self, number: Number) -> list[Event]:
        item = Message(id=self.id, status="in_progress")
        return [
            wire.ItemAdded(sequence_number=number(), output_index=self.index, item=item),
            wire.PartAdded(**self._place(number()), part=OutputText("")),
        ]

    def more(self, number: int, text: str, logprobs: Sequence[TokenLogprob]) -> Event:
        told = [logprob_of(each) for each in logprobs]
        self.text.append(text)
        self.logprobs += told
        return wire.TextDelta(**self._place(number), delta=text, logprobs=told)

    def end(self, number: Number, status: Any) -> tuple[list[Event], OutputItem]:
        text = "".join(self.text)
        part = OutputText(text, logprobs=self.logprobs)
        item = Message(id=self.id, status=status, content=[part])
        return [
            wire.TextDone(**self._place(number()), text=text, logprobs=self.logprobs),
            wire.PartDone(**self._place(number()), part=part),
            wire.ItemDone(sequence_number=number(), output_index=self.index, item=item),
        ], item

    def _place(self, number: int) -> dict[str, Any]:
        return {"sequence_number": number, "item_id": self.id, "output_index": self.index, "content_index": 0}


@attrs.define
class OpenReasoning:
    """Thoughts."""

    index: int
    id: str
    encrypted: bool
    text: list[str] = attrs.field(factory=list)

    @classmethod
    def new(cls, index: int, new_id: Callable[[str], str], encrypted: bool) -> Self:
        return cls(index, new_id("rs"), encrypted)

    def begin(self, number: Number) -> list[Event]:
        item = Reasoning(id=self.id, status="in_progress")
        return [
            wire.ItemAdded(sequence_number=number(), output_index=self.index, item=item),
            wire.PartAdded(**self._place(number()), part=ReasoningText("")),
        ]

    def more(self, number: int, text: str) -> Event:
        self.text.append(text)
        return wire.ReasoningDelta(**self._place(number), delta=text)

    def end(self, number: Number, status: Any) -> tuple[list[Event], OutputItem]:
        text = "".join(self.text)
        hidden = concealed(text) if self.encrypted else UNSET
        item = Reasoning(id=self.id, status=status, content=[ReasoningText(text)], encrypted_content=hidden)
        return [
            wire.ReasoningDone(**self._place(number()), text=text),
            wire.PartDone(**self._place(number()), part=ReasoningText(text)),
            wire.ItemDone(sequence_number=number(), output_index=self.index, item=item),
        ], item

    def _place(self, number: int) -> dict[str, Any]:
        return {"sequence_number": number, "item_id": self.id, "output_index": self.index, "content_index": 0}


@attrs.define
class OpenCall:
    """A call of a function, or of a custom tool."""

    index: int
    item: FunctionCall | CustomToolCall
    passed: str = ""

    def begin(self, number: Number) -> list[Event]:
        return [wire.ItemAdded(sequence_number=number(), output_index=self.index, item=self.item)]

    def more(self, number: int, passed: str) -> Event:
        self.passed += passed
        kind = wire.CustomInputDelta if isinstance(self.item, CustomToolCall) else wire.ArgumentsDelta
        return kind(sequence_number=number, item_id=self.item.id, output_index=self.index, delta=passed)

    def whole(self, number: Number, call: ToolCall) -> list[Event]:
        """What of it was not told while it came."""
        if isinstance(self.item, CustomToolCall):
            passed = str(call.arguments.get("input", ""))
        else:
            passed = self.passed or encoded(dict(call.arguments)).decode()
        rest = passed.removeprefix(self.passed)
        return [self.more(number(), rest)] if rest else []

    def end(self, number: Number, status: Any) -> tuple[list[Event], OutputItem]:
        place = {"sequence_number": number(), "item_id": self.item.id, "output_index": self.index}
        done: Event
        kept = {"id": self.item.id, "call_id": self.item.call_id, "name": self.item.name}
        item: FunctionCall | CustomToolCall
        if isinstance(self.item, CustomToolCall):
            done = wire.CustomInputDone(**place, input=self.passed)  # type: ignore[arg-type]
            item = CustomToolCall(**kept, input=self.passed, namespace=self.item.namespace)
        else:
            done = wire.ArgumentsDone(**place, name=self.item.name, arguments=self.passed)  # type: ignore[arg-type]
            item = FunctionCall(**kept, arguments=self.passed, status=status, namespace=self.item.namespace)
        return [done, wire.ItemDone(sequence_number=number(), output_index=self.index, item=item)], item


OpenItem = OpenText | OpenReasoning | OpenCall
