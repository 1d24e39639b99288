"""What somebody types, as messages."""

from __future__ import annotations

import io

import pytest

from sauropod.cli.lines import ask, read_message


def message(*lines: str) -> str:
    rest = iter(lines)
    read = read_message(lambda prompt: next(rest))
    assert next(rest, None) is None, "not all lines were read"
    return read


def test_a_line_is_a_message() -> None:
    assert message("hello  ") == "hello"


def test_what_a_line_begins_with_stays() -> None:
    assert message(" /not a command") == " /not a command"


def test_a_backslash_goes_on_in_the_next_line() -> None:
    assert message("one \\", "two\\", "three") == "one \ntwo\nthree"


def test_quotes_hold_many_lines() -> None:
    assert message('"""', "one", "", "two\\", '"""') == "one\n\ntwo\\"


def test_quotes_may_stand_in_the_lines_they_hold() -> None:
    assert message('"""one', 'two"""  ') == "one\ntwo"
    assert message('"""one"""') == "one"


@pytest.mark.parametrize(
    ("typed", "said"),
    [(['"""', "one", "two"], "one\ntwo"), (["one \\", "two\\"], "one \ntwo"), (["one\\"], "one"), (['"""one'], "one")],
)
def test_the_end_in_the_middle_of_a_message_is_its_end(typed: list[str], said: str) -> None:
    lines = iter(typed)

    def ask(prompt: str) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    assert read_message(ask) == said
    with pytest.raises(EOFError):
        read_message(ask)


def test_a_program_that_asks_is_shown_no_prompt(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("one\r\ntwo"))
    assert [ask("> "), ask("> ")] == ["one", "two"]
    with pytest.raises(EOFError):
        ask("> ")
    assert capsys.readouterr() == ("", "")


def test_a_closed_stdin_is_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(EOFError):
        ask("> ")
