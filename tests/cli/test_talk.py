"""A chat that is interrupted before the model has said anything: what no terminal can be timed to do."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self, cast

import pytest

from sauropod import SamplingParams
from sauropod.blocking import Engine
from sauropod.cli.talk import Talk


class Interrupted:
    """An engine whose every answer is interrupted at once."""

    def stream(self, *arguments: Any, **options: Any) -> Self:
        return self

    def text(self) -> Any:
        raise KeyboardInterrupt

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def test_a_message_that_was_not_answered_at_all_is_taken_back(capsys: pytest.CaptureFixture[str]) -> None:
    talk = Talk(cast("Engine", Interrupted()), SamplingParams())
    assert talk.take("hello")
    assert talk.conversation.turns == []
    assert "your message is taken back" in capsys.readouterr().err


def test_who_does_not_sit_there_leaves_with_an_interruption() -> None:
    talk = Talk(cast("Engine", Interrupted()), SamplingParams(), interactive=False)
    with pytest.raises(KeyboardInterrupt):
        talk.take("hello")
