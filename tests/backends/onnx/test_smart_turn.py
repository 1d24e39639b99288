"""Smart Turn sees Whisper's features of the last eight seconds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod.abc import Clip, Heard, LoadOptions, Source
from sauropod.backends.onnx.whisper_features import log_mel, standardised
from sauropod.errors import ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.smart_turn import FAMILY, SmartTurn  # noqa: E402
from sauropod.testing.models.speech.graphs import Drawing  # noqa: E402
from sauropod.testing.models.speech.smart_turn import tiny_smart_turn  # noqa: E402


def opened(path: Path, **extra: Any) -> SmartTurn:
    source = Source(path.name, [path], root=path.parent)
    return FAMILY.load(source, {path.name: path}, LoadOptions(threads=1, extra=extra))


def noise(count: int, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    return (random.standard_normal(count) * np.linspace(0.001, 0.3, count)).astype(np.float32)


def slowly(samples: NDArray[np.float32], frame: int) -> list[float]:
    """One frame's mel energies, sum by sum, from the definitions."""
    mirrored = [float(samples[abs(at)]) for at in range(frame * 160 - 200, frame * 160 + 200)]
    window = [0.5 - 0.5 * math.cos(2 * math.pi * at / 400) for at in range(400)]
    weighted = np.array(mirrored) * window
    turns = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    power = np.abs(turns @ weighted) ** 2

    def hertz(mel: float) -> float:
        return mel * 200 / 3 if mel < 15 else 1000 * 6.4 ** ((mel - 15) / 27)

    highest = 15 + 27 * math.log(8) / math.log(6.4)
    corners = [hertz(highest * each / 81) for each in range(82)]
    bins = [40.0 * each for each in range(201)]
    return [
        float(np.interp(bins, corners[each : each + 3], [0, 2 / (corners[each + 2] - corners[each]), 0]) @ power)
        for each in range(80)
    ]


def test_features_are_those_of_the_definitions() -> None:
    samples = noise(12_800, 1)
    samples[:3000] = 0
    features = log_mel(samples)
    assert features.shape == (80, 80)
    assert features.dtype == np.float32
    rows = {frame: np.log10(np.maximum(slowly(samples, frame), 1e-10)) for frame in (0, 1, 2, 40, 77)}
    loudest = features.max() * 4 - 4  # what the loudest was before it was scaled
    for frame, logs in rows.items():
        np.testing.assert_allclose(features[:, frame], (np.maximum(logs, loudest - 8) + 4) / 4, atol=1e-5)
    np.testing.assert_allclose(features[:, 0], (loudest - 8 + 4) / 4, atol=1e-5)  # silence


def test_standardised_samples_have_mean_0_and_variance_1_and_silence_is_silence() -> None:
    samples = standardised(noise(5000, 2) + np.float32(0.25))
    assert samples.mean() == pytest.approx(0, abs=1e-5)
    assert samples.std() == pytest.approx(1, abs=1e-4)
    assert not standardised(np.zeros(100, np.float32)).any()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_smart_turn(tmp_path_factory.mktemp("turn") / "smart-turn-v3.2-cpu.onnx")


@pytest.fixture(scope="module")
def model(path: Path) -> SmartTurn:
    return opened(path)


def judged(model: SmartTurn, *clips: NDArray[np.float32]) -> list[float]:
    return list(model.judge([model.prepare(Clip(each)) for each in clips]))


def test_it_judges_what_a_bare_session_judges(path: Path, model: SmartTurn) -> None:
    samples = noise(30_000, 3)
    padded = np.concatenate([np.zeros(98_000, np.float32), samples])
    scaled = (padded - padded.mean()) / np.sqrt(padded.var() + 1e-7)
    given = {"input_features": log_mel(scaled.astype(np.float32))[None]}
    (wanted,) = onnxruntime.InferenceSession(path).run(None, given)
    assert judged(model, samples) == pytest.approx([float(wanted[0, 0])], abs=1e-5)


def test_only_the_last_eight_seconds_count(model: SmartTurn) -> None:
    last = noise(128_000, 4)
    longer = np.concatenate([noise(50_000, 5), last])
    assert judged(model, last) == judged(model, longer)
    assert judged(model, last) != judged(model, last[:-1600])


def test_no_clip_depends_on_the_others(model: SmartTurn) -> None:
    clips = [noise(count, seed) for seed, count in enumerate((1, 4000, 128_000, 130_000))]
    assert judged(model, *clips) == [judged(model, clip)[0] for clip in clips]
    assert len(set(judged(model, *clips))) > 2
    assert judged(model) == []


def test_what_is_no_speech_is_refused(model: SmartTurn) -> None:
    assert model.info.kind == "turn_detector"
    with pytest.raises(UnsupportedInput, match="Clip"):
        model.prepare(Heard(np.zeros(4, np.float32)))
    with pytest.raises(UnsupportedInput, match="one channel"):
        model.prepare(Clip(np.zeros((4, 2), np.float32)))


def test_other_graphs_and_options_are_refused(tmp_path: Path, path: Path) -> None:
    draw = Drawing("other")
    whisper = draw.input("input_features", np.float32, 1, 80, 3000)
    draw.output("logits", draw.add("Tanh", whisper), np.float32, 1, 80, 3000)
    with pytest.raises(UnsupportedModel, match="Smart Turn v3"):
        opened(draw.write(tmp_path / "smart-turn-v2.onnx"))
    with pytest.raises(UnsupportedInput, match="no option 'seconds'"):
        opened(path, seconds=4)


def test_the_newest_version_is_taken_and_eight_bits_for_the_cpu() -> None:
    there = [f"smart-turn-v3.{each}.onnx" for each in ("0", "1-cpu", "10-gpu", "10-cpu")]
    assert FAMILY.select([*there, "README.md"], None) == ["smart-turn-v3.10-cpu.onnx"]
    assert FAMILY.select(there, "fp32") == ["smart-turn-v3.10-gpu.onnx"]
    assert FAMILY.select(there[:2], "int8") == ["smart-turn-v3.1-cpu.onnx"]
    assert FAMILY.select(["sub/smart_turn.onnx"], None) == ["sub/smart_turn.onnx"]
    with pytest.raises(ModelNotFound, match="no q4"):
        FAMILY.select(there, "q4")
    assert FAMILY.select(["silero_vad.onnx", "onnx/model.onnx"], None) is None
