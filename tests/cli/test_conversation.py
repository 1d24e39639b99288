"""What was said so far."""

from __future__ import annotations

from pathlib import Path

import pytest

from sauropod import Message
from sauropod.cli.conversation import Conversation, NotAConversation


def test_a_question_is_kept_once_it_was_answered() -> None:
    conversation = Conversation("Be brief.")
    prompt = [Message.system("Be brief."), Message.user("Hello")]
    assert conversation.asking("Hello") == prompt
    assert conversation.length == 0
    conversation.keep("Hello", "Hi!")
    assert conversation.asking("Bye") == [*prompt, Message.assistant("Hi!"), Message.user("Bye")]
    assert conversation.length == 1


@pytest.mark.parametrize("system", [None, "Be brief."])
def test_what_is_saved_can_be_loaded(tmp_path: Path, system: str | None) -> None:
    conversation = Conversation(system)
    conversation.keep("Grüße 🦕", 'She said: "Hi"\n')
    conversation.save(tmp_path / "talk.json")
    assert Conversation.load(tmp_path / "talk.json") == conversation


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        "[]",
        '{"messages": [3]}',
        '{"messages": [{"role": "wizard", "content": "x"}]}',
        '{"messages": [{"role": "user", "content": 3}]}',
        '{"messages": [{"role": "user", "content": "and then?"}]}',
        '{"messages": [{"role": "assistant", "content": "a"}, {"role": "user", "content": "b"}]}',
    ],
)
def test_what_is_no_conversation_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "talk.json"
    path.write_text(content)
    with pytest.raises(NotAConversation, match=r"talk\.json holds"):
        Conversation.load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(NotAConversation):
        Conversation.load(path)
