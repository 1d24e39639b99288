"""A chat that is interrupted before the model has said anything: what no terminal can be timed to do."""

from __future__ import annotations

from typing import Any, NoReturn, cast

import pytest

from sauropod import Engine, SamplingParams
from sauropod.cli.talk import Talk


class Interrupted:
    """An engine whose every answer is interrupted at once."""

    def stream(self, *arguments: Any, **options: Any) -> NoReturn:
        raise KeyboardInterrupt


def test_a_message_that_was_not_answered_at_all_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(cast("Engine", Interrupted()), SamplingParams())
    assert talk.take("hello")
    assert talk.conversation.turns == []
    assert "your message is taken back" in capsys.readouterr().err


def test_who_does_not_sit_there_leaves_with_an_interruption() -> None:
    talk = Talk(cast("Engine", Interrupted()), SamplingParams(), interactive=False)
    with pytest.raises(KeyboardInterrupt):
        talk.take("hello")
