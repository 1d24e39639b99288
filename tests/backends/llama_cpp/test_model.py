"""llama.cpp keeps the contract, on one model of every kind it treats differently."""

from __future__ import annotations

from pathlib import Path

import pytest

from sauropod.abc import LanguageModel, LoadOptions, Source
from sauropod.backends.llama_cpp import LlamaCpp
from sauropod.testing import check_language_model, models

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

KINDS = {
    "full attention": models.tiny_llama,
    "hybrid": models.tiny_hybrid,
    "recurrent": models.tiny_recurrent,
    "sliding window": models.tiny_windowed,
    "mixture of experts": models.tiny_moe,
    "positions in several dimensions": models.tiny_mrope,
}


def load(path: Path, **options: object) -> LanguageModel:
    return LlamaCpp().load(Source(path.stem, (path,)), LoadOptions(**options))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_it_keeps_the_contract(kind: str, tmp_path: Path) -> None:
    path = KINDS[kind](tmp_path / "model.gguf")
    check_language_model(
        lambda: load(path, slots=4, context_length=256, cache_length=512, step_tokens=64, threads=1), exact=False
    )
