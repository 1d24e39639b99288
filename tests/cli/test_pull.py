"""`sauropod pull`, where there is nothing to fetch. What a hub has to do with it is in `test_models`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def test_a_backend_that_reads_no_files_has_nothing_to_fetch(call: Callable[..., Any]) -> None:
    refused = call("pull", "fake:x")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err.startswith("error: The backend fake reads no model files, so there is nothing to fetch")
