"""The flags of `sauropod serve`."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.config import ConfigurationError, Settings, add_flags, settings_of
from sauropod.server.config.errors import dotted
from sauropod.server.config.flags import assignment


def asked(*arguments: str) -> Settings:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    add_flags(parser)
    parser.add_argument("-v", "--verbose", action="count", default=0)
    return settings_of(parser.parse_args(["--config-file", "", *arguments]))


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SAUROPOD_API_KEY", "SAUROPOD_PORT", "SAUROPOD_CONFIG_FILE"):
        monkeypatch.delenv(name, raising=False)


def test_a_key_at_the_top_has_a_flag_of_its_name() -> None:
    found = asked("--port", "9000", "--host", "0.0.0.0", "--allow-public", "--vad-model", "", "--allowed-hosts", "a,B")
    assert (found.port, found.host, found.allow_public, found.vad_model) == (9000, "0.0.0.0", True, None)
    assert found.allowed_hosts == ("a", "b")


def test_every_other_key_is_set() -> None:
    found = asked("--set", "models.llama=org/repo", "--set", 'models."qwen2.5".model={repo = "a/b"}', "-v")
    assert {name: model.source for name, model in found.models.items()} == {
        "llama": "org/repo",
        "qwen2.5": {"repo": "a/b"},
    }
    assert found.verbose
    assert not asked().verbose


def test_a_flag_is_named_in_its_fault() -> None:
    with pytest.raises(ConfigurationError, match=r"^--port: port must be a whole number from 0 to 65535; got 'x'\.$"):
        asked("--port", "x")


def test_a_key_that_is_set_twice_is_a_fault() -> None:
    with pytest.raises(ConfigurationError, match=r"^--set port: port is given twice, here and by --port"):
        asked("--port", "1", "--set", "port=2")


def test_the_help_can_be_written() -> None:
    parser = argparse.ArgumentParser()
    add_flags(parser)
    written = " ".join(parser.format_help().split())
    assert "--allow-public [BOOL]" in written
    assert "--stt-model MODEL the model that hears: a name, or a table;" in written


@given(st.lists(st.text(min_size=1).filter(lambda part: "\\" not in part and '"' not in part), min_size=1), st.text())
def test_any_path_can_be_written(path: list[str], value: str) -> None:
    quoted = ".".join(f'"{part}"' for part in path)
    found = assignment(f"{quoted}={value}")
    assert (found.path, found.text) == (tuple(path), value)


def test_a_path_is_written_as_toml_has_it() -> None:
    assert dotted(assignment("models.'qwen2.5'.slots=1").path) == 'models."qwen2.5".slots'


@pytest.mark.parametrize("text", ["", "port", "=1", "a..b=1", "a.=1", 'a."b=1', "a b=1"])
def test_what_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not of the form KEY=VALUE"):
        assignment(text)
