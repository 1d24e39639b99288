"""Message: one turn of a conversation, in the wire form a chat template is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .values import Json

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True)
class Call:
    """A tool called with arguments."""

    name: str
    arguments: Mapping[str, Json]


@dataclass(frozen=True)
class Message:
    """What one party says. Only the assistant has `calls`."""

    role: Role
    content: str = ""
    calls: tuple[Call, ...] = ()

    def wire(self) -> dict[str, object]:
        """The message as chat templates take it."""
        if not self.calls:
            return {"role": self.role, "content": self.content}
        calls = [
            {"type": "function", "function": {"name": call.name, "arguments": dict(call.arguments)}}
            for call in self.calls
        ]
        return {"role": self.role, "content": self.content, "tool_calls": calls}


@dataclass(frozen=True)
class Conversation:
    """Messages, and the definitions of the tools offered."""

    messages: tuple[Message, ...]
    tools: tuple[Mapping[str, Json], ...] = ()

    def wire(self) -> tuple[list[dict[str, object]], list[dict[str, Json]]]:
        """Messages and tools as chat templates take them."""
        return [message.wire() for message in self.messages], [dict(tool) for tool in self.tools]


def user(text: str) -> Message:
    """A turn of the user."""
    return Message("user", text)


def assistant(text: str, calls: Sequence[Call] = ()) -> Message:
    """A turn of the model."""
    return Message("assistant", text, tuple(calls))


def tool(text: str) -> Message:
    """A tool's result."""
    return Message("tool", text)


def system(text: str) -> Message:
    """Instructions."""
    return Message("system", text)
