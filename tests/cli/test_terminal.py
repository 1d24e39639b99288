"""How the command line writes."""

from __future__ import annotations

from contextlib import suppress

import pytest

from sauropod import ReasoningDelta, StreamEvent, TextDelta, ToolCall, ToolCallClosed
from sauropod.cli.terminal import STYLES, _filled, clean, note, print_json, styled, table
from sauropod.cli.writing import Writing


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert table(("name", "size"), [("a", "1 MB"), ("longer", "10 MB")], right=[1]) == (
        "name     size\na        1 MB\nlonger  10 MB\n"
    )


def test_without_a_terminal_nothing_is_styled_or_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    assert [styled("x", style) for style in STYLES] == ["x"] * len(STYLES)
    assert clean("a\x1b[2J\x07b") == "a\x1b[2J\x07b"


def test_long_words_are_not_broken() -> None:
    assert _filled(f"see {'x' * 30} there", 20) == f"see\n{'x' * 30}\nthere"


def test_json_is_one_value_with_its_characters(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"text": "Grüße"})
    assert capsys.readouterr().out == '{\n  "text": "Grüße"\n}\n'


def test_the_last_line_is_ended_unless_it_was_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    with Writing() as answer:
        answer.take(TextDelta("one\ntw"))
        answer.take(TextDelta("o"))
    assert capsys.readouterr().out == f"{answer.text}\n"
    with suppress(KeyboardInterrupt), Writing() as answer:
        answer.take(TextDelta("one"))
        raise KeyboardInterrupt
    assert capsys.readouterr().out == "one"
    with Writing(quiet=True) as answer:
        answer.take(TextDelta("one"))
    assert (answer.text, capsys.readouterr().out) == ("one", "")


def test_thoughts_are_seen_at_a_terminal_and_nowhere_else(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    events: list[StreamEvent] = [ReasoningDelta("Hm"), ReasoningDelta("."), TextDelta("Yes.")]
    for watched, thoughts in ((False, ""), (True, "Hm.\n\n")):
        monkeypatch.setattr("sauropod.cli.writing.is_terminal", lambda stream, watched=watched: watched)
        with Writing() as answer:
            for event in events:
                answer.take(event)
        shown = capsys.readouterr()
        assert (shown.out, shown.err, answer.text) == ("Yes.\n", thoughts, "Yes.")


def test_a_call_is_shown_as_code(capsys: pytest.CaptureFixture[str]) -> None:
    with Writing() as answer:
        answer.take(ToolCallClosed(0, ToolCall("f", {"city": "Paris", "days": 2})))
    assert capsys.readouterr().out == "calls f(city='Paris', days=2)"


def test_a_terminal_gets_no_control_characters_in_a_note(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sauropod.cli.terminal.is_terminal", lambda stream: True)
    note("a model of \x1b]0;pwned\x07")
    assert capsys.readouterr().err == "a model of ␛]0;pwned␇\n"
