"""`sauropod run`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sauropod.cli.parser import Parser, command_named

QUICK = ("--isolation", "thread", "--seed", "1")
SLOW = ("--option", "seconds_per_token=0.02", "--option", "eos_rate=0")


def test_the_answer_goes_to_stdout_and_nothing_else_anywhere(call: Callable[..., Any]) -> None:
    answered = call("run", "fake:x", "hi", *QUICK)
    assert (answered.code, answered.err) == (0, "")
    assert answered.out.endswith("\n")


def test_json_is_the_same_answer_with_its_figures(call: Callable[..., Any]) -> None:
    text = call("run", "fake:x", "hi", *QUICK).out
    data = call("run", "fake:x", "hi", *QUICK, "--json").data
    assert data["text"].rstrip("\n") == text.removesuffix("\n").rstrip("\n")
    assert data["stop_reason"] == "eos"
    assert data["usage"]["prompt_tokens"] > data["usage"]["cached_tokens"] == 0
    assert data["timings"]["first_token"] > 0


def test_the_prompt_is_what_was_said_then_what_was_piped_in(call: Callable[..., Any]) -> None:
    def asked(*words: str, stdin: bytes = b"") -> str:
        text: str = call("run", "fake:x", *words, *QUICK, stdin=stdin).out
        return text

    assert (
        asked("say this") == asked("say", "this") == asked(stdin=b"say this\n") == asked(stdin=b"\xef\xbb\xbfsay this")
    )
    assert asked("say\n\nthis") == asked("say", stdin=b"this\r\n")
    assert asked("say", stdin=b"this") != asked("say this")


def test_without_a_prompt_there_is_nothing_to_do(call: Callable[..., Any]) -> None:
    refused = call("run", "fake:x", *QUICK, stdin=b"\n")
    assert (refused.code, refused.out) == (2, "")
    assert "There is no prompt" in refused.err


def test_bytes_that_are_no_text_are_read_as_well_as_may_be(call: Callable[..., Any]) -> None:
    assert call("run", "fake:x", *QUICK, stdin=b"caf\xe9").code == 0
    assert call("run", "fake:x", "caf\udce9", "--system", "\udcff", *QUICK).code == 0


def test_a_system_message_is_part_of_the_prompt(call: Callable[..., Any]) -> None:
    plain = call("run", "fake:x", "hi", *QUICK, "--json").data["usage"]["prompt_tokens"]
    instructed = call("run", "fake:x", "hi", "--system", "Be brief.", *QUICK, "--json").data["usage"]["prompt_tokens"]
    assert instructed == plain + len("system: Be brief.\n")


def test_raw_text_is_continued_as_it_is(call: Callable[..., Any]) -> None:
    raw = call("run", "fake:x", "hi", "--raw", *QUICK, "--json").data
    assert raw["usage"]["prompt_tokens"] == len("hi") + 1
    assert call("run", "fake:x", "hi", "--raw", "--system", "x", *QUICK).code == 2


def test_of_what_is_piped_in_at_most_one_line_break_is_left_out(call: Callable[..., Any]) -> None:
    def tokens(stdin: bytes, *options: str) -> int:
        count: int = call("run", "fake:x", *QUICK, "--json", *options, stdin=stdin).data["usage"]["prompt_tokens"]
        return count

    assert tokens(b"hi\n\n", "--raw") == tokens(b"hi\r\n", "--raw") == len("hi\n\n") + 1
    assert tokens(b"hi\n") == tokens(b"hi\r\n") == tokens(b"hi\n\n") - 1


def test_a_model_whose_name_is_no_text_is_to_be_renamed(call: Callable[..., Any]) -> None:
    refused = call("run", "./\udcff.gguf", "hi")
    assert refused.code == 3
    assert refused.err.endswith("Rename it.\n")


def test_sampling_options_reach_the_model(call: Callable[..., Any]) -> None:
    data = call("run", "fake:x", "hi", *QUICK, "--max-tokens", "3", "--option", "eos_rate=0", "--json").data
    assert (data["stop_reason"], data["usage"]["completion_tokens"]) == ("max_tokens", 3)
    text = call("run", "fake:x", "hi", *QUICK, "--json").data["text"]
    assert call("run", "fake:x", "hi", *QUICK, "--stop", text[5], "--stop", "zz", "--json").data["stop"] == text[5]


def test_a_real_model_answers(call: Callable[..., Any], model: str) -> None:
    answered = call("run", model, "hi", "--max-tokens", "8", "--threads", "1", "--temperature", "0", "-v")
    assert answered.code == 0
    assert answered.out.strip()
    assert "8 tokens at" in answered.err


def test_an_answer_is_held_to_a_schema_and_one_that_was_cut_off_is_a_failure(
    call: Callable[..., Any], model: str, tmp_path: Path
) -> None:
    file = tmp_path / "schema.json"
    file.write_text('{"enum": ["sauropod", "theropod"]}', encoding="utf-8")
    for schema in (str(file), '{"enum": ["sauropod", "theropod"]}'):
        answered = call("run", model, "hi", "--schema", schema, "--device", "cpu")
        assert answered.code == 0
        assert json.loads(answered.out) in ("sauropod", "theropod")
    cut = call("run", model, "hi", "--schema", schema, "--max-tokens", "1", "--device", "cpu")
    assert cut.code == 1
    assert "cut off (max_tokens)" in cut.err


@pytest.mark.parametrize(("schema", "told"), [("", "nothing is given"), ("{x", "line 1"), ("no/file", "no/file")])
def test_what_is_no_schema_is_told(call: Callable[..., Any], schema: str, told: str) -> None:
    refused = call("run", "fake:x", "hi", "--schema", schema)
    assert refused.code == 2
    assert told in refused.err


def test_a_full_context_is_told(call: Callable[..., Any]) -> None:
    cut = call("run", "fake:x", "hi", *QUICK, "--option", "eos_rate=0", "--context-length", "40")
    assert cut.code == 0
    assert "because the context of 40 tokens is full" in cut.err


def test_a_prompt_that_is_too_long_is_refused(call: Callable[..., Any]) -> None:
    refused = call("run", "fake:x", "x" * 300, *QUICK)
    assert (refused.code, refused.out) == (4, "")
    assert "the context holds 256" in refused.err


def test_backend_options_are_read_as_json(call: Callable[..., Any]) -> None:
    assert call("run", "fake:x", "hi", *QUICK, "--option", "nope=1").code == 4
    assert "NAME=VALUE" in call("run", "fake:x", "hi", *QUICK, "--option", "slots").err


@pytest.mark.parametrize(
    ("arguments", "prompt"),
    [
        (["m", "a", "b"], ["a", "b"]),
        (["m", "--seed", "3", "a"], ["a"]),
        (["--seed", "3", "m", "a"], ["a"]),
        (["m", "a", "--seed", "3", "b"], ["a", "b"]),
        (["m", "--", "--seed", "3"], ["--seed", "3"]),
        (["m", "-5 plus 3"], ["-5 plus 3"]),
        (["m"], []),
    ],
)
def test_options_may_stand_anywhere(arguments: list[str], prompt: list[str]) -> None:
    options = Parser.of("run", command_named("run")).parse(arguments)
    assert (options.model, options.prompt) == ("m", prompt)


def test_ctrl_c_stops_the_model(terminal: Callable[..., Any]) -> None:
    running = terminal("run", "fake:x", "hi", *SLOW)
    running.expect("Loading fake:x ...\r")
    running.until(lambda shown: len(shown) if shown.strip() else None)
    running.type("\x03")
    assert running.exit_code() == 130
    assert running.text.endswith("\n")
    assert "Traceback" not in running.text


def test_a_terminal_gets_no_control_characters_from_a_model(terminal: Callable[..., Any]) -> None:
    running = terminal("run", "fake:x", "hi", "--option", "eos_rate=0", "--seed", "1")
    assert running.exit_code() == 0
    assert not {character for character in running.text if ord(character) < 32} - {"\r", "\n", "\t"}
