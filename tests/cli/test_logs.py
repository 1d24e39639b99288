"""What is heard of the library's log."""

from __future__ import annotations

import logging

import pytest

from sauropod.cli.logs import logging_to_stderr

HEARD = {0: {"hub warns"}, 1: {"hub warns", "hub informs", "worker warns"}}


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_the_more_v_the_more_is_heard(verbose: int, capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr(verbose):
        for name, who in (
            ("sauropod._sources.hub", "hub"),
            ("sauropod.worker", "worker"),
            ("sauropod.llama_cpp", "cpp"),
        ):
            logging.getLogger(name).warning("%s warns", who)
            logging.getLogger(name).info("%s informs", who)
            logging.getLogger(name).debug("%s debugs", who)
    heard = {line.partition(": ")[2] for line in capsys.readouterr().err.splitlines()}
    assert heard == HEARD.get(verbose, heard)
    assert len(heard) == (1, 3, 9)[verbose]


def test_a_terminal_gets_no_control_characters_from_a_log(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sauropod.cli.terminal.is_terminal", lambda stream: True)
    with logging_to_stderr(0):
        logging.getLogger("sauropod").warning("the hub says \x1b[2J")
    assert capsys.readouterr().err == "sauropod: the hub says ␛[2J\n"


def test_afterwards_nothing_is_heard(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_to_stderr(2):
        pass
    logging.getLogger("sauropod").warning("late")
    assert capsys.readouterr().err == ""
