"""`sauropod` as a whole: its help, its start, how it fails and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest

from sauropod.cli.parser import COMMANDS

HEAVY = ("numpy", "huggingface_hub", "llama_cpp", "jinja2", "sauropod.backends.llama_cpp.library", "gguf")
SLOW = ("--option", "seconds_per_token=0.02", "--option", "eos_rate=0")


def test_help_and_version_import_nothing_heavy() -> None:
    given = [["--help"], ["--version"], ["run", "--help"], ["rnu"]]
    program = f"import sys; from sauropod.cli import main; print([main(each) for each in {given}], *sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    last = ended.stdout.splitlines()[-1]
    assert last.startswith("[0, 0, 0, 2] ")
    assert not set(HEAVY) & set(last.split())


def test_help_lists_every_command_and_every_exit_code(call: Callable[..., Any]) -> None:
    shown = call("--help")
    assert shown.code == 0
    assert all(f"  {name} " in shown.out for name in COMMANDS)
    assert all(f"  {code} " in shown.out for code in (0, 1, 2, 3, 4, 5, 130, 141))
    assert call().out == call("help").out == shown.out


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_examples(call: Callable[..., Any], command: str) -> None:
    shown = call(command, "--help")
    assert shown.code == 0
    assert shown.out.startswith(f"usage: sauropod {command} ")
    assert f"examples:\n  sauropod {command}" in shown.out
    assert call("help", command).out == shown.out


def test_the_version_is_that_of_the_distribution(call: Callable[..., Any]) -> None:
    assert call("--version").out == f"sauropod {version('sauropod')}\n"


def test_an_unknown_command_is_answered_with_the_one_that_may_be_meant(call: Callable[..., Any]) -> None:
    refused = call("rnu", "demo")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == "error: There is no command 'rnu'. Did you mean run? See: sauropod --help\n"


def test_an_unknown_option_is_answered_with_the_one_that_may_be_meant(call: Callable[..., Any]) -> None:
    refused = call("run", "fake:x", "hi", "--temprature=1")
    assert refused.code == 2
    assert "Did you mean --temperature?" in refused.err


@pytest.mark.parametrize("text", ["-hello", "-x"])
def test_text_that_looks_like_an_option_is_told_where_to_go(call: Callable[..., Any], text: str) -> None:
    refused = call("run", "fake:x", text)
    assert refused.code == 2
    assert "Text that begins with a dash goes after --" in refused.err


def test_an_unknown_model_is_answered_with_one_that_is_here(call: Callable[..., Any]) -> None:
    refused = call("run", "demmo", "hi")
    assert refused.code == 3
    assert "Did you mean demo?" in refused.err


def test_an_option_without_a_command_is_refused(call: Callable[..., Any]) -> None:
    assert call("--json").code == 2


def test_a_bad_number_is_refused_before_a_model_is_loaded(call: Callable[..., Any]) -> None:
    assert call("run", "no such model", "hi", "--temperature", "warm").code == 2
    assert call("run", "no such model", "hi", "--top-p", "7").code == 4


def test_an_error_has_no_traceback_unless_one_is_asked_for(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("run", "fake:x", "hi", "--isolation", "thread", "--device", "cuda")
    plain = call(*arguments)
    assert plain.err.startswith("error: The fake backend computes on the CPU only")
    assert "Traceback" not in plain.err
    asked = call(*arguments, "--traceback")
    assert "Traceback" in asked.err
    monkeypatch.setenv("SAUROPOD_TRACEBACK", "1")
    assert "Traceback" in call(*arguments).err
    assert plain.code == asked.code == 3


def test_a_crash_is_told_and_has_a_code_of_its_own(call: Callable[..., Any]) -> None:
    crashed = call("run", "fake:x", "hello", "--option", "crash_on=hello")
    assert (crashed.code, crashed.out) == (5, "")
    assert crashed.err.startswith(
        "error: The worker process 'cpu' was killed by SIGKILL, as happens when memory runs out."
    )
    assert "Traceback" not in crashed.err


def test_a_fault_of_our_own_is_called_one(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ZeroDivisionError("oh no")

    monkeypatch.setattr("sauropod._sources.installed", broken)
    failed = call("ls")
    assert failed.code == 1
    assert failed.err.startswith("error: ZeroDivisionError: oh no. This should not happen")


def test_output_that_nobody_reads_ends_quietly() -> None:
    command = [sys.executable, "-m", "sauropod", "run", "fake:x", "hi", *SLOW]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.read(1)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 141


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_a_full_disk_is_told_in_a_sentence() -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "sauropod", "ls", "--json"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert ended.returncode == 1
    assert ended.stderr == "error: No space left on device.\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full device here")
def test_an_error_that_cannot_be_told_keeps_its_code() -> None:
    with open("/dev/full", "w") as full:
        command = [sys.executable, "-m", "sauropod", "run", "nosuch", "hi"]
        ended = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=full)
    assert ended.returncode == 3


@pytest.mark.parametrize("arguments", ["run fake:x hi --seed 1", "chat fake:x"])
def test_streams_that_are_closed_one_by_one_are_no_reason_to_fail(arguments: str) -> None:
    for closed in ("<&-", ">&-", "2>&-"):
        shell = f'"{sys.executable}" -m sauropod {arguments} {closed}'
        ended = subprocess.run(["/bin/sh", "-c", shell], stdin=subprocess.DEVNULL, capture_output=True, text=True)
        assert (ended.returncode, ended.stderr) == (0, "")


def test_streams_that_are_not_unicode_are_no_reason_to_fail(call: Callable[..., Any], run: Callable[..., Any]) -> None:
    arguments = ("run", "fake:x", "Grüße", "--seed", "1", "--isolation", "thread")
    ascii_only = run(*arguments, "-v", PYTHONIOENCODING="ascii")
    assert ascii_only.code == 0
    assert ascii_only.out.isascii()
    data = run(*arguments, "--json", PYTHONIOENCODING="ascii").data
    assert data["text"] == call(*arguments, "--json").data["text"]


def test_closed_streams_are_no_reason_to_fail() -> None:
    shell = f'"{sys.executable}" -m sauropod run fake:x hi'
    assert subprocess.run(["/bin/sh", "-c", f"{shell} <&- >&- 2>&-"]).returncode == 0


def test_without_a_terminal_there_are_no_escape_codes(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR")
    shown = call(
        "demo", "--text", "fake:x", "--isolation", "thread", "--context-length", "4096", "--option", "eos_rate=0.2"
    )
    assert shown.code == 0
    assert "\x1b[" not in shown.out + shown.err


def test_no_colour_is_shown_where_none_is_wanted(terminal: Callable[..., Any]) -> None:
    plain = terminal("ls", NO_COLOR="1", TERM="xterm")
    assert plain.exit_code() == 0
    assert "\x1b[" not in plain.text
    colourful = terminal("rm", "no/such", NO_COLOR="", TERM="xterm")
    assert colourful.exit_code() == 3
    assert "\x1b[1;31merror:\x1b[0m" in colourful.text


def test_errors_are_wrapped_to_the_terminal(terminal: Callable[..., Any]) -> None:
    shown = terminal("rm", f"no/such-model-of-{'such-' * 10}a-name", "demo")
    assert shown.exit_code() == 3
    assert all(len(line) <= 80 or " " not in line for line in shown.text.splitlines())  # a path may be longer
