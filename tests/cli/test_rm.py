"""`sauropod rm`, where something is in the way."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import pytest


def test_what_the_system_refuses_does_not_keep_the_others(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def remove(name: str) -> NoReturn:
        raise PermissionError(13, "Permission denied", name)

    monkeypatch.setattr("sauropod._sources.remove", remove)
    removed = call("rm", "one", "other")
    assert removed.code == 1
    assert removed.err == "error: one: Permission denied.\nerror: other: Permission denied.\n"
