"""What may be said, and by whom."""

from __future__ import annotations

import enum
import pickle
from typing import Any

import pytest

from sauropod import Message, UnsupportedInput
from sauropod._values.messages import as_tokens


class Role(enum.StrEnum):
    USER = "user"


def test_a_users_own_kind_of_text_becomes_text() -> None:
    """A worker could not read it: it does not know the user's classes."""
    message = Message(Role.USER, Role.USER)  # type: ignore[arg-type]
    assert (type(message.role), type(message.content)) == (str, str)
    assert b"Role" not in pickle.dumps(message)


@pytest.mark.parametrize("prompt", [b"What?", bytearray(b"What?"), memoryview(b"What?")])
def test_bytes_are_no_tokens(prompt: Any) -> None:
    with pytest.raises(UnsupportedInput, match="decode"):
        as_tokens(prompt)


@pytest.mark.parametrize(("role", "content"), [("robot", "x"), (5, "x"), ("user", 5), ("user", ["x"])])
def test_a_message_is_text_by_somebody_known(role: Any, content: Any) -> None:
    with pytest.raises(UnsupportedInput):
        Message(role, content)


def test_calls_are_calls() -> None:
    with pytest.raises(UnsupportedInput, match="tool_calls"):
        Message.assistant(tool_calls=[{"name": "clock"}])  # type: ignore[list-item]
