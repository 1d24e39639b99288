"""A chat that is interrupted before the model has said anything: what no terminal can be timed to do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, NoReturn, Self, cast

import pytest

from sauropod import Engine, StreamEvent, TextDelta
from sauropod.cli.chatting import Talk


class Interrupted:
    """An engine whose every answer is interrupted at once."""

    def stream(self, *arguments: Any, **options: Any) -> NoReturn:
        raise KeyboardInterrupt


def test_a_message_that_was_not_answered_at_all_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(cast("Engine", Interrupted()), {})
    assert talk.take("hello")
    assert talk.conversation.turns == []
    assert "your message is taken back" in capsys.readouterr().err


class HalfAnswered:
    """An engine whose every answer is interrupted in the middle."""

    def stream(self, *arguments: Any, **options: Any) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None: ...

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        yield TextDelta("half an ans")
        raise KeyboardInterrupt


def test_an_answer_that_was_stopped_counts_as_a_turn(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(cast("Engine", HalfAnswered()), {})
    assert talk.take("hello")
    assert talk.take("/stats")
    assert [each.content for each in talk.conversation.turns] == ["hello", "half an ans"]
    assert capsys.readouterr().err.splitlines()[-1].startswith("1 turn; there are no figures of an answer that was")


def test_who_does_not_sit_there_leaves_with_an_interruption() -> None:
    talk = Talk(cast("Engine", Interrupted()), {}, interactive=False)
    with pytest.raises(KeyboardInterrupt):
        talk.take("hello")
