"""Exchange: what the user says, what the model answers, and what makes the answer right."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .messages import Message, assistant, user


@dataclass(frozen=True)
class Exchange:
    """Messages and the model's answer to them. A right answer contains every one of `keys`."""

    said: tuple[Message, ...]
    answer: Message
    keys: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """What the user said, or nothing where tools answered."""
        return self.said[-1].content if self.said[-1].role == "user" else ""


def turn(said: str, answer: str, *keys: str) -> Exchange:
    """One user turn and its answer in prose."""
    return Exchange((user(said),), assistant(answer), keys)


def messages(exchanges: Iterable[Exchange]) -> tuple[Message, ...]:
    """The exchanges as one run of messages."""
    return tuple(message for each in exchanges for message in (*each.said, each.answer))
