"""The small recognisers are of use: the same each time, and neither mute nor raving."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.testing.models.speech import tiny_parakeet, tiny_whisper  # noqa: E402
from sauropod.testing.models.speech.graphs import Drawing  # noqa: E402


def content(root: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in root.iterdir()}


BUILDERS: dict[str, Any] = {
    "joint": lambda folder, seed: tiny_parakeet(folder, seed=seed),
    "index": lambda folder, seed: tiny_parakeet(folder, seed=seed, layout="index"),
    "external": lambda folder, seed: tiny_parakeet(folder, seed=seed, external_data=True),
    "whisper": lambda folder, seed: tiny_whisper(folder, seed=seed),
}


@pytest.mark.parametrize("kind", BUILDERS)
def test_a_seed_gives_the_same_bytes_and_another_gives_others(kind: str, tmp_path: Path) -> None:
    first, again, other = (
        content(BUILDERS[kind](tmp_path / name, seed)) for name, seed in zip("abc", (1, 1, 2), strict=True)
    )
    assert first == again
    assert first != other
    assert sum(map(len, first.values())) < 1_000_000


@pytest.mark.parametrize("blank", [0.3, 0.7])
def test_about_as_many_scores_are_blank_as_asked_for(blank: float, tmp_path: Path) -> None:
    shares, tokens = [], set()
    for seed in range(6):
        root = tiny_parakeet(tmp_path / str(seed), seed=seed, blank=blank)
        session = onnxruntime.InferenceSession(root / "decoder_joint-model.onnx")
        random = np.random.default_rng(seed)
        given = {
            "encoder_outputs": random.normal(0, 1, (40, 48, 1)).astype(np.float32),
            "targets": random.integers(0, 49, (40, 1)).astype(np.int32),
            "target_length": np.ones(40, np.int32),
            "input_states_1": random.normal(0, 0.5, (2, 40, 32)).astype(np.float32),
            "input_states_2": random.normal(0, 0.5, (2, 40, 32)).astype(np.float32),
        }
        chosen = session.run(["outputs"], given)[0][:, 0, 0, :49].argmax(axis=1)
        shares.append((chosen == 48).mean())
        tokens |= set(chosen.tolist())
    assert abs(np.mean(shares) - blank) < 0.25
    assert len(tokens) > 10


def test_what_cannot_be_built_is_refused(tmp_path: Path) -> None:
    wrong: tuple[dict[str, Any], ...] = ({"blank": 0.0}, {"blank": 1.0}, {"pieces": 3})
    for options in wrong:
        with pytest.raises(ValueError, match=next(iter(options))):
            tiny_parakeet(tmp_path, **options)


def test_without_onnx_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ImportError, match=r'pip install "sauropod\[test\]"'):
        Drawing("nothing")
