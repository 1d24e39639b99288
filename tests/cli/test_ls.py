"""`sauropod ls`, of directories. What a hub has to do with it is in `test_models`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gguf_files


def test_a_directory_of_models_that_is_none_is_told(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SAUROPOD_MODELS", str(tmp_path / "nothing"))
    listed = call("ls", "--json")
    assert [each["name"] for each in listed.data] == ["demo"]
    assert listed.err == f"{tmp_path / 'nothing'}, which SAUROPOD_MODELS lists, is no directory.\n"


def test_a_terminal_gets_no_control_characters_from_a_name(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "\x1b[2J.gguf").write_bytes(gguf_files.model("odd"))
    monkeypatch.setenv("SAUROPOD_MODELS", str(tmp_path))
    monkeypatch.setattr("sauropod.cli.terminal.is_terminal", lambda stream: True)
    assert "␛[2J" in call("ls").out
