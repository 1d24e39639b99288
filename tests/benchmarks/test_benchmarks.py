"""Every benchmark runs, on a model so small that its figures mean nothing."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

pytest.importorskip("llama_cpp", reason="the benchmarks run GGUF models: pip install 'sauropod[llama]'")
pytest.importorskip("gguf", reason="the synthetic models need it: pip install 'sauropod[test]'")

from benchmarks.harness.setup import Setup
from benchmarks.run import BENCHMARKS

from sauropod.testing.models import tiny_llama


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmarks") / "tiny.gguf"
    return tiny_llama(path, vocabulary=2048, context_length=16384)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_measures_what_it_says(name: str, model: Path) -> None:
    setup = Setup(model=model, peer="none", threads=1, rounds=1, answer=3, scale=0.01)
    rows = anyio.run(BENCHMARKS[name], setup)
    assert rows
    assert all(row.figure and row.work for row in rows)


def test_a_peer_answers_what_we_answer(model: Path) -> None:
    setup = Setup(model=model, peer="llama-cpp-python", threads=1, rounds=2, answer=3, scale=0.01)
    rows = anyio.run(BENCHMARKS["shared_prompt"], setup)
    assert all(row.peer is not None and row.peer.median > 0 for row in rows)
