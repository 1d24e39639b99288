"""What was said so far: what a chat keeps, and writes to files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import attrs

from sauropod import Message

__all__ = ["Conversation", "NotAConversation"]


class NotAConversation(ValueError):
    """A file that is none of ours."""


@attrs.define
class Conversation:
    """Messages in turn, user and assistant, after what the model was told first."""

    system: str | None = None
    turns: list[Message] = attrs.field(factory=list)

    @property
    def length(self) -> int:
        """How many turns were taken."""
        return len(self.turns) // 2

    def asking(self, text: str) -> list[Message]:
        """The prompt for the next answer. Nothing is kept of it until it was answered."""
        return [*self._instruction(), *self.turns, Message.user(text)]

    def keep(self, text: str, answer: str) -> None:
        """A turn was taken."""
        self.turns += [Message.user(text), Message.assistant(answer)]

    def save(self, path: Path) -> None:
        """Write it to a file, as JSON."""
        messages = [{"role": each.role, "content": each.content} for each in (*self._instruction(), *self.turns)]
        path.write_text(json.dumps({"messages": messages}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Conversation:
        """Read what `save` wrote. Raises `OSError` or `NotAConversation`."""
        try:
            messages = [_message(each) for each in json.loads(path.read_text(encoding="utf-8"))["messages"]]
        except (ValueError, TypeError, KeyError) as error:
            raise NotAConversation(f"{path} holds no conversation that /save has written.") from error
        system = messages.pop(0).content if messages and messages[0].role == "system" else None
        if not _alternate(messages):
            raise NotAConversation(f"{path} holds a conversation, but not one of user and assistant in turn.")
        return cls(system, messages)

    def _instruction(self) -> Sequence[Message]:
        return [] if self.system is None else [Message.system(self.system)]


def _message(data: dict[str, Any]) -> Message:
    return Message(data["role"], data["content"])


def _alternate(messages: Sequence[Message]) -> bool:
    roles = [each.role for each in messages]
    return len(roles) % 2 == 0 and set(roles[::2]) <= {"user"} and set(roles[1::2]) <= {"assistant"}
