"""Variables that are keys, and files of variables."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.config import ConfigurationError
from sauropod.server.config.environment import assignments_in, env_file
from server.config.asking import faults, settings


def test_two_underscores_are_a_dot() -> None:
    (found,) = assignments_in({"SAUROPOD_MODELS__LLAMA__TOP_K": "5"})
    assert (found.path, found.text) == (("models", "llama", "top_k"), "5")


@pytest.mark.parametrize(
    "name",
    [
        "HOME",
        "SAUROPOD_MODELS",
        "SAUROPOD_TRACEBACK",
        "SAUROPOD_CONFIG_FILE",
        "SAUROPOD_API_KEY",
        "SAUROPOD_SERVICE_HOST",
        "SAUROPOD_SERVICE_PORT",
        "SAUROPOD_SERVICE_PORT_HTTP",
        "SAUROPOD_PORT_8080_TCP",
        "SAUROPOD_PORT_8080_TCP_ADDR",
        "SAUROPOD_PORT_8080_TCP_PROTO",
    ],
)
def test_what_is_somebody_elses_is_no_key(name: str) -> None:
    assert not assignments_in({name: "x"})


def test_the_port_that_kubernetes_sets_is_not_the_servers() -> None:
    assert settings(environ={"SAUROPOD_PORT": "tcp://10.0.0.7:80"}).port == 8080
    assert settings(environ={"SAUROPOD_PORT": "81"}).port == 81


def test_a_fault_names_the_file_and_the_variable() -> None:
    assert faults(env="SAUROPOD_PORT=x") == [
        "SAUROPOD_PORT in /etc/.env: port must be a whole number from 0 to 65535; got 'x'."
    ]


def test_a_file_of_variables() -> None:
    text = (
        '# a comment\n\nA=1\nexport B = two words # comment\nC=\'raw $x \\n\' # c\nD="a\\n\\"b\\""\nE=\nF=a#b\nG=# c\n'
    )
    assert env_file(text, ".env") == {
        "A": "1",
        "B": "two words",
        "C": "raw $x \\n",
        "D": 'a\n"b"',
        "E": "",
        "F": "a#b",
        "G": "",
    }


@pytest.mark.parametrize("line", ["word", "=1", "A='open", 'A="open', "A='a' b", "1A=2"])
def test_a_line_that_is_none_is_told_by_its_number(line: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^\.env: line 2 is not of the form NAME=value\.$"):
        env_file(f"A=1\n{line}\n", ".env")


@given(st.text())
def test_any_file_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        env_file(text, ".env")
