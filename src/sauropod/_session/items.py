"""What a conversation is made of: things said, calls of tools, and what these gave."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from sauropod._values.audio import AudioFrame
from sauropod._values.messages import Message, ToolCall
from sauropod._values.speech import Word
from sauropod.errors import UnsupportedInput

__all__ = ["CallItem", "Conversation", "Item", "ItemStatus", "ResultItem", "SaidItem", "new_id"]

ItemStatus: TypeAlias = Literal["in_progress", "completed", "incomplete"]


def new_id(kind: str = "item") -> str:
    """A name nobody has."""
    return f"{kind}_{secrets.token_hex(12)}"


@attrs.frozen(eq=False)
class SaidItem:
    """Something that was said or written, by the user, the assistant, or the system."""

    role: Literal["user", "assistant", "system"]
    text: str | None = None
    """None as long as it is not known what was said."""
    audio: AudioFrame | None = attrs.field(default=None, repr=False)
    """How the user said it. What the session says is not kept."""
    spoken: bool = False
    """Whether it is speech; then `text` is its transcript."""
    words: Sequence[Word] = ()
    """Those of the user's speech, in seconds of the session's audio."""
    status: ItemStatus = "completed"
    """An answer that was interrupted is incomplete: `text` is what was heard of it."""
    id: str = attrs.field(factory=new_id)


@attrs.frozen
class CallItem:
    """The model calls a tool. `call.id` is what the result refers to."""

    call: ToolCall
    status: ItemStatus = "completed"
    id: str = attrs.field(factory=new_id)


@attrs.frozen
class ResultItem:
    """What a tool gave."""

    call_id: str
    output: str
    id: str = attrs.field(factory=new_id)


Item: TypeAlias = SaidItem | CallItem | ResultItem


@attrs.define(eq=False)
class Conversation:
    """The items in their order. Pure but for what is remembered."""

    _items: dict[str, Item] = attrs.field(factory=dict)
    _order: list[str] = attrs.field(factory=list)

    def __iter__(self) -> Iterator[Item]:
        return (self._items[id] for id in self._order)

    def __len__(self) -> int:
        return len(self._order)

    def __contains__(self, id: object) -> bool:
        return id in self._items

    @property
    def last(self) -> str | None:
        """The id of the last item."""
        return self._order[-1] if self._order else None

    def get(self, id: str) -> Item:
        """Raises `UnsupportedInput` naming the id if there is none."""
        if id not in self._items:
            raise UnsupportedInput(f"There is no item {id!r} in this conversation.")
        return self._items[id]

    def before(self, id: str) -> str | None:
        """The id of the item before this one; None for the first."""
        at = self._order.index(id)
        return self._order[at - 1] if at else None

    def add(self, item: Item, after: str | None = None) -> str | None:
        """Put it after the one of that id; "root" is the beginning, None the end. The id of the one it comes after.

        Raises `UnsupportedInput` for an id that is taken, or none that it could come after.
        """
        if item.id in self._items:
            raise UnsupportedInput(f"There is an item {item.id!r} already. Leave the id out, or choose another.")
        at = len(self._order)
        if after == "root":
            at = 0
        elif after is not None:
            self.get(after)
            at = self._order.index(after) + 1
        self._items[item.id] = item
        self._order.insert(at, item.id)
        return self.before(item.id)

    def change(self, item: Item) -> None:
        """The item of that id is this now."""
        self.get(item.id)
        self._items[item.id] = item

    def remove(self, id: str) -> Item:
        """Raises `UnsupportedInput` if there is none."""
        item = self.get(id)
        del self._items[id]
        self._order.remove(id)
        return item

    def call(self, call_id: str) -> CallItem | None:
        """The call that a result refers to."""
        calls = (item for item in self if isinstance(item, CallItem))
        return next((item for item in calls if item.call.id == call_id), None)


def messages_of(items: Sequence[Item], instructions: str = "", *, native_audio: bool = False) -> list[Message]:
    """The items as a model is told them. What nobody knows the words of, and calls without results, are left out.

    With `native_audio` it hears what the user said, where that is still there, and where there were words in it or may
    yet turn out to be.

    What the assistant says and the calls that follow are one message, as models write them, and what the calls gave
    comes right behind it, as models are used to.
    """
    results = {item.call_id: item.output for item in items if isinstance(item, ResultItem)}
    messages = [Message.system(instructions)] if instructions else []
    calling: int | None = None  # the assistant's message to which a call belongs that comes next
    for item in items:
        match item:
            case SaidItem("user", text, AudioFrame() as audio, spoken=True) if native_audio and text != "":
                messages.append(Message.user(audio=audio))
                calling = None
            case SaidItem(role, text) if text:
                messages.append(Message(role, text))
                calling = len(messages) - 1 if role == "assistant" else None
            case CallItem(call) if call.id in results:
                if calling is None:
                    messages.append(Message.assistant())
                    calling = len(messages) - 1
                message = messages[calling]
                messages[calling] = attrs.evolve(message, tool_calls=(*message.tool_calls, call))
                messages.append(Message.tool(results[call.id], call=call))  # wherever it came
            case ResultItem():
                calling = None
            case _:
                pass
    return messages
