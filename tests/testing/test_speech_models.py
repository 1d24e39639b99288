"""The small recognisers are of use: the same each time, and neither mute nor raving."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.testing.models.speech import KokoroOptions, tiny_kokoro, tiny_parakeet, tiny_whisper  # noqa: E402
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


def test_a_clip_in_a_deep_encoder_does_not_depend_on_longer_ones_beside_it(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path, width=16, hidden=16, layers=2)
    session = onnxruntime.InferenceSession(root / "encoder-model.onnx")
    random = np.random.default_rng(0)
    short, long = (random.normal(0, 1, (128, frames)).astype(np.float32) for frames in (90, 161))
    both = np.zeros((2, 128, 161), np.float32)
    both[0, :, :90], both[1] = short, long
    together, lengths = session.run(None, {"audio_signal": both, "length": np.array([90, 161])})
    for row, length, clip in zip(together, lengths, (short, long), strict=True):
        (alone,), _ = session.run(None, {"audio_signal": clip[None], "length": np.array([clip.shape[1]])})
        assert alone.shape[1] == length
        np.testing.assert_allclose(row[:, :length], alone, atol=2e-5)
        assert np.abs(alone[:, 1:] - alone[:, :-1]).max(axis=0).min() > 0.1  # every frame is another


def test_a_vocoder_changes_what_is_computed_and_not_what_is_heard(tmp_path: Path) -> None:
    given = {
        "input_ids": np.array([[0, 20, 30, 0]]),
        "style": np.zeros((1, 256), np.float32),
        "speed": np.ones(1, np.float32),
    }
    plain, rich = (
        onnxruntime.InferenceSession(
            tiny_kokoro(tmp_path / str(vocoder), KokoroOptions(vocoder=vocoder), voices=()) / "onnx" / "model.onnx"
        ).run(None, given)
        for vocoder in (False, True)
    )
    assert len(plain[0]) == len(rich[0]) == 600 * plain[1].sum()
    assert np.array_equal(plain[1], rich[1])
    assert 0 < np.abs(plain[0] - rich[0]).max() < 2e-4
