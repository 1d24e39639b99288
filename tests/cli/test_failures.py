"""What went wrong, as exit codes and sentences."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import sauropod
from sauropod import errors
from sauropod.cli.failures import UsageError, exit_code, report, watched

CODES = {
    errors.BackendCrashed: 5,
    errors.BackendError: 5,
    errors.BackendNotFound: 3,
    errors.ClosedError: 1,
    errors.DeviceUnavailable: 3,
    errors.InvalidGrammar: 4,
    errors.InvalidOutput: 5,
    errors.InvalidSampling: 4,
    errors.LoadError: 3,
    errors.ModelNotFound: 3,
    errors.OutOfMemory: 5,
    errors.PromptTooLong: 4,
    errors.QueueFull: 4,
    errors.RequestError: 4,
    errors.RunTimeout: 1,
    errors.SauropodError: 1,
    errors.UnsupportedInput: 4,
    errors.UnsupportedModel: 3,
}


def instance(kind: type[sauropod.SauropodError]) -> sauropod.SauropodError:
    return kind(9, 8) if kind in (errors.PromptTooLong, errors.QueueFull) else kind("What failed, and why.")


def raising(error: BaseException) -> Callable[[], int]:
    def command() -> int:
        raise error

    return command


def test_every_error_there_is_has_a_code() -> None:
    assert {getattr(errors, name) for name in errors.__all__} == set(CODES)


@pytest.mark.parametrize("kind", CODES)
def test_an_error_becomes_its_code_and_one_paragraph(
    kind: type[sauropod.SauropodError], capsys: pytest.CaptureFixture[str]
) -> None:
    error = instance(kind)
    assert watched(raising(error)) == CODES[kind]
    assert capsys.readouterr().err == f"error: {str(error).replace('context_length', '--context-length')}\n"


def test_messages_name_options_as_they_are_written_here(capsys: pytest.CaptureFixture[str]) -> None:
    report(errors.LoadError("top_p is 3, max_tokens. See ./top_p.gguf, my_top_p and /models/top_k."))
    assert capsys.readouterr().err == (
        "error: --top-p is 3, --max-tokens. See ./top_p.gguf, my_top_p and /models/top_k.\n"
    )


def test_of_several_errors_at_once_the_first_counts(capsys: pytest.CaptureFixture[str]) -> None:
    group = ExceptionGroup("tasks", [ExceptionGroup("more", [instance(errors.QueueFull)]), ValueError()])
    assert exit_code(group) == 4
    report(group)
    assert capsys.readouterr().err.startswith("error: 9 requests are already waiting")


@pytest.mark.parametrize("with_traceback", [False, True])
def test_a_terminal_gets_no_control_characters_from_an_error(
    with_traceback: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    error = errors.UnsupportedInput("The template says: \x1b]0;pwned\x07\x9b2J.")
    report(error, with_traceback)
    assert "\x1b]0;pwned\x07\x9b2J" in capsys.readouterr().err
    monkeypatch.setattr("sauropod.cli.terminal.is_terminal", lambda stream: True)
    report(error, with_traceback)
    shown = capsys.readouterr().err
    assert "pwned" in shown
    assert all(each.isprintable() for each in shown.replace("\n", ""))


def test_what_is_not_ours_is_a_failure() -> None:
    assert exit_code(UsageError("no")) == 2
    assert exit_code(OSError(28, "No space left on device")) == 1
    assert exit_code(KeyError("x")) == 1


def test_an_interruption_ends_with_130_and_a_new_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert watched(raising(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "\n"
