"""Damaged model files, a sample of what `fuzz_gguf.py` tries by the thousand."""

from __future__ import annotations

import importlib.util
from itertools import islice
from pathlib import Path

import pytest

from fuzz_gguf import damaged, every_byte, fuzz, whole_model

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(importlib.util.find_spec("llama_cpp") is None, reason="llama-cpp-python is not installed"),
]


async def test_a_damaged_file_is_refused_or_loads_and_harms_nobody(nothing_leaks: None, tmp_path: Path) -> None:
    original, header = whole_model(tmp_path)
    outcomes = await fuzz(damaged(original, header, 60, seed=1), tmp_path, report=False)
    assert outcomes["UnsupportedModel"] > 10
    assert outcomes["loaded"] > 5


async def test_a_flipped_byte_anywhere_in_the_header_harms_nobody(nothing_leaks: None, tmp_path: Path) -> None:
    original, header = whole_model(tmp_path)
    outcomes = await fuzz(islice(every_byte(original, header), 0, None, header // 40), tmp_path, report=False)
    assert outcomes.total() > 40
