"""Options of the wrong kind are refused by name, whatever the backend."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sauropod import Engine, UnsupportedInput


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("slots", "8"),
        ("slots", 2.5),
        ("slots", 0),
        ("threads", "4"),
        ("context_length", 2**40),
        ("step_tokens", True),
        ("gpu_layers", -2),
        ("flash_attention", "no"),
        ("cache_type", None),
        ("tensor_split", ["a"]),
        ("tensor_split", 5),
        ("tensor_split", [-1.0]),
        ("tensor_split", [math.nan]),
        ("adapters", ["lora.gguf"]),
        ("adapters", {"lora.gguf": "1"}),
        ("rpc_servers", 5),
        ("pooling", 5),
        ("chat_template", 5),
        ("device", 5),
        ("options", ["slots"]),
        ("options", {1: 2}),
        ("max_waiting", -1),
        ("max_waiting", "x"),
        ("snapshot_bytes", "x"),
        ("snapshot_bytes", None),
        ("sampling", {"temperature": 1}),
    ],
)
def test_an_option_of_the_wrong_kind_is_refused_by_name(option: str, value: Any) -> None:
    with pytest.raises(UnsupportedInput, match=option):
        Engine("fake:", **{option: value})
