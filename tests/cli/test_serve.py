"""`sauropod serve`, as far as it goes without serving."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_a_key_that_there_is_not_is_a_mistake_of_the_command_line(call: Callable[..., Any]) -> None:
    refused = call("serve", "--config-file", "", "--set", "prot=1")
    assert (refused.code, refused.out) == (2, "")
    assert "port" in refused.err


def test_what_is_in_force_is_shown(call: Callable[..., Any]) -> None:
    shown = call("serve", "--config-file", "", "--port", "9001", "--show-config")
    assert shown.code == 0
    assert "port = 9001" in shown.out
