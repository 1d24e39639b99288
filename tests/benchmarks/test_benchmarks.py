"""Every benchmark runs, on a model so small that its figures mean nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

pytest.importorskip("llama_cpp", reason="the benchmarks run GGUF models: pip install 'sauropod[llama]'")
pytest.importorskip("gguf", reason="the synthetic models need it: pip install 'sauropod[test]'")

from benchmarks.harness.report import Row
from benchmarks.harness.setup import Setup
from benchmarks.run import BENCHMARKS

from sauropod.testing.models import tiny_llama


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("benchmarks") / "tiny.gguf"
    return tiny_llama(path, vocabulary=2048, context_length=16384)


LIVE = {"voice_to_voice", "barge_in", "sessions"}
"""Those that take as long as people speak: run together, below."""


@pytest.mark.parametrize("name", sorted(BENCHMARKS.keys() - LIVE))
def test_a_benchmark_measures_what_it_says(name: str, model: Path) -> None:
    setup = Setup(model=model, peer="none", threads=1, rounds=1, answer=3, scale=0.01)
    rows = anyio.run(BENCHMARKS[name], setup)
    assert rows
    assert all(row.figure and row.work for row in rows)


def test_conversations_are_measured_in_real_time(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime", reason="the demo's voice and ears run there: pip install 'sauropod[speech]'")
    monkeypatch.setattr("benchmarks.barge_in.ANSWER", "Once there was a dinosaur, and it was very large indeed.")
    monkeypatch.setattr("benchmarks.sessions.EVERY", 2.0)
    setup = Setup(model=model, peer="none", threads=1, rounds=1, answer=3, scale=0.01)
    found: dict[str, Sequence[Row]] = {}

    async def measure(name: str) -> None:
        found[name] = await BENCHMARKS[name](setup)

    async def all_of_them() -> None:
        async with anyio.create_task_group() as tasks:
            for name in LIVE:
                tasks.start_soon(measure, name)

    anyio.run(all_of_them)
    assert found.keys() == LIVE
    assert {row.figure for rows in found.values() for row in rows} > {"failed", "replies that went on"}


def test_a_peer_answers_what_we_answer(model: Path) -> None:
    setup = Setup(model=model, peer="llama-cpp-python", threads=1, rounds=2, answer=3, scale=0.01)
    rows = anyio.run(BENCHMARKS["shared_prompt"], setup)
    assert all(row.peer is not None and row.peer.median > 0 for row in rows)
