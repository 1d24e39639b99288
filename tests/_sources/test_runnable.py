"""What is found out about a model before it is fetched: whether it could run here."""

from __future__ import annotations

from typing import Any

import pytest

import gguf_files
from sauropod._sources.gguf import read_header
from sauropod._sources.header import Header
from sauropod._sources.runnable import runnable
from sauropod.errors import OutOfMemory, UnsupportedModel

WEIGHTS = 4 * 32 * 11
CACHE_PER_TOKEN = 2 * 2 * (8 + 8) * 2
"""Two layers, two heads of eight keys and eight values, two bytes each."""


def header(**more: Any) -> Header:
    raw = gguf_files.model(**more)
    return read_header(lambda offset, length: raw[offset : offset + length], len(raw))


@pytest.mark.parametrize(("trained", "counted"), [(100_000, 2048), (256, 256)])
def test_a_model_must_fit_with_a_short_context(trained: int, counted: int) -> None:
    model = header(**{"llama.context_length": trained})
    needed = WEIGHTS + counted * CACHE_PER_TOKEN
    runnable(lambda architecture: True, needed)(model)
    with pytest.raises(OutOfMemory, match=rf"weights are 1\.4 kB, a context of {counted:,} tokens takes"):
        runnable(lambda architecture: True, needed - 1)(model)


def test_where_nobody_can_tell_the_memory_nothing_is_too_large() -> None:
    runnable(lambda architecture: True, 0)(header())


def test_an_architecture_must_be_known() -> None:
    with pytest.raises(UnsupportedModel, match="does not know the architecture 'llama'"):
        runnable(lambda architecture: False, 0)(header())
