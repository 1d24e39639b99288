"""`sauropod chat`, at a terminal and in a pipe."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sauropod.testing.models import tiny_llama

SHORT = ("--option", "eos_rate=0", "--max-tokens", "12")
QUICK = ("--isolation", "thread", *SHORT)
ENDLESS = ("--context-length", "1024", "--option", "eos_rate=0")
SLOW = (*ENDLESS, "--option", "seconds_per_token=0.01", "--max-tokens", "60")
"""More than half a second for a whole answer."""

RETURN, CTRL_C, CTRL_D = "\r", "\x03", "\x04"


def has_begun(shown: str) -> int | None:
    """Where an answer has begun, after the line that asked for it: with something to be seen, not only white space."""
    answer = shown.partition("\r\n")[2]
    return len(shown) if any(character.isalnum() for character in answer) else None


def said_in(path: Path) -> list[str]:
    return [f"{each['role']}: {each['content']}" for each in json.loads(path.read_text())["messages"]]


# -- at a terminal -----------------------------------------------------------------------------------------------------


def test_a_conversation_goes_on_after_an_answer_was_stopped(terminal: Callable[..., Any], tmp_path: Path) -> None:
    chat = terminal("chat", "fake:x", *SLOW)
    chat.expect("Ctrl-D to leave\r\n> ")
    chat.type(f"one{RETURN}")
    chat.until(has_begun)
    chat.type(CTRL_C)
    chat.expect("(Stopped. What it has said stays in the conversation.)\r\n> ")
    chat.type(f"two{RETURN}")
    chat.expect("(Cut off at --max-tokens.)\r\n> ")
    chat.type(f'"""three{RETURN}')
    chat.expect(". ")
    chat.type(f'lines"""{RETURN}')
    chat.expect("(Cut off at --max-tokens.)\r\n> ")
    chat.type(f"/save {tmp_path / 'talk.json'}{RETURN}")
    chat.expect("Saved to")
    chat.expect("\r\n> ")
    chat.type(CTRL_D)
    assert chat.exit_code() == 0
    said = said_in(tmp_path / "talk.json")
    assert [said[0], said[2], said[4]] == ["user: one", "user: two", "user: three\nlines"]
    assert len(said[1].removeprefix("assistant: ")) < len(said[3].removeprefix("assistant: "))


def test_ctrl_c_at_the_prompt_says_how_to_leave(terminal: Callable[..., Any]) -> None:
    chat = terminal("chat", "fake:x")
    chat.expect("> ")
    # Python may see a Ctrl-C that comes just before readline waits only at the next key: here is one.
    chat.type(CTRL_C)
    chat.type(RETURN)
    chat.expect("(Ctrl-D or /exit leaves.)")
    chat.expect("> ")
    chat.type(f"/exit{RETURN}")
    assert chat.exit_code() == 0


# -- in a pipe ---------------------------------------------------------------------------------------------------------


def test_a_program_can_chat_line_by_line(call: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "talk.json"
    chat = call("chat", "fake:x", "--system", "S", *QUICK, stdin=f"one\n\ntwo \\\nlines\n/save {path}\n".encode())
    assert chat.code == 0
    assert ">" not in chat.err
    said = said_in(path)
    assert [said[0], said[1], said[3]] == ["system: S", "user: one", "user: two \nlines"]
    assert all(answer.removeprefix("assistant: ").rstrip("\n") in chat.out for answer in (said[2], said[4]))


def test_what_was_said_before_is_not_computed_again(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", *QUICK, "-v", stdin=b"one\ntwo\n/stats\n")
    first, second, total, last = chat.err.splitlines()
    assert " 0 of them cached" in first
    assert " 0 of them cached" not in second
    assert total.startswith("2 turns; the last one took ")
    assert last.startswith("Last answer: first token after ")


def test_a_conversation_can_be_taken_up_again(call: Callable[..., Any], tmp_path: Path) -> None:
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    call("chat", "fake:x", *QUICK, stdin=f"one\n/save {first}\n".encode())
    chat = call("chat", "fake:x", *QUICK, stdin=f"/load {first}\ntwo\n/save {second}\n".encode())
    assert "1 turn loaded from " in chat.err
    assert said_in(second)[:2] == said_in(first)
    assert said_in(second)[2] == "user: two"


def test_a_message_too_long_is_taken_back_and_the_conversation_goes_on(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", *QUICK, stdin=b"one\n" + b"x" * 300 + b"\ntwo\n/stats\n")
    assert chat.code == 4
    assert "error: The prompt is " in chat.err
    assert "/clear begins a new one." in chat.err
    assert "2 turns; " in chat.err


def test_a_full_context_is_told(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", "--isolation", "thread", "--option", "eos_rate=0", stdin=b"one\n")
    assert "(The context of 256 tokens is full. /clear begins a new one.)" in chat.err


def test_a_crash_ends_an_answer_and_not_the_chat(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", "--option", "crash_on=boom", *SHORT, stdin=b"one\nboom\ntwo\n/stats\n")
    assert chat.code == 5
    assert "error: The worker process 'cpu' was killed by SIGKILL, as happens when memory runs out." in chat.err
    assert "2 turns; " in chat.err


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("/help", "/clear"),
        ("/stats", "Nothing was answered yet."),
        ("/clear", "Forgotten."),
        ("/system", "The model was told nothing."),
        ("/system Be brief.", "from the next message on"),
        ("/system Be brief.\n/system", "Be brief."),
        ("/halp", "Did you mean /help?"),
        ("/xyzzy", "There is no /xyzzy here."),
        ("/save", "/save wants the name of a file."),
        ("/save /no/such/directory/x", "No such file or directory"),
        ("/load", "/load wants the name of a file."),
        ("/load /no/such/file", "No such file or directory"),
        ("/load /dev/null", "holds no conversation"),
    ],
)
def test_commands_answer_on_stderr(call: Callable[..., Any], typed: str, told: str) -> None:
    chat = call("chat", "fake:x", *QUICK, stdin=typed.encode())
    assert (chat.code, chat.out) == (0, "")
    assert told in chat.err


@pytest.mark.parametrize("typed", [b'"""\nHello\nthere\n', b"Hello\\\nthere\\"])
def test_a_message_that_the_end_of_the_pipe_cuts_off_is_answered(call: Callable[..., Any], typed: bytes) -> None:
    chat = call("chat", "fake:x", *QUICK, "--seed", "1", stdin=typed)
    assert chat.code == 0
    assert chat.out
    assert chat.out == call("chat", "fake:x", *QUICK, "--seed", "1", stdin=b'"""Hello\nthere"""\n').out


def test_the_exit_code_is_that_of_the_first_turn_that_failed(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", "--option", "crash_on=boom", stdin=b"x" * 300 + b"\nboom\none\n")
    assert (chat.code, chat.err.count("error: ")) == (4, 2)


def test_bytes_that_are_no_text_are_read_as_well_as_may_be(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", *QUICK, "--system", "\udcff", "--stop", "\udcfe\udcfd", stdin=b"caf\xe9\n")
    assert (chat.code, chat.err) == (0, "")


def test_exit_leaves_whatever_follows(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", *QUICK, stdin=b"/exit\nhello\n")
    assert (chat.code, chat.out, chat.err) == (0, "", "")


def test_clear_forgets_what_was_said(call: Callable[..., Any]) -> None:
    chat = call("chat", "fake:x", *QUICK, "-v", stdin=b"one\n/clear\none\n")
    first, forgotten, second = chat.err.splitlines()
    assert forgotten == "Forgotten."
    assert first.partition("prompt ")[2].split()[0] == second.partition("prompt ")[2].split()[0]


def test_a_model_that_knows_no_conversation_is_refused(call: Callable[..., Any], tmp_path: Path) -> None:
    path = str(tiny_llama(tmp_path / "base.gguf", chat_template=False))
    refused = call("chat", path, "--isolation", "thread", "--threads", "1", stdin=b"hello\n")
    assert (refused.code, refused.out) == (4, "")
    assert f"sauropod run {path} --raw" in refused.err
