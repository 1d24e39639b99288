"""MarbleNet says the same as the bare graph on the whole clip, whatever the pieces and whoever is beside it."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.abc import Clip, Detected, Heard, LoadOptions, Source, VoiceDetector
from sauropod.errors import ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.marblenet import FAMILY, MarbleNet  # noqa: E402
from sauropod.testing.models.speech.vad import GRAPH, tiny_marblenet  # noqa: E402

DEMO = Path(__file__).parents[3] / "src" / "sauropod" / "assets" / "demo-vad"


def opened(root: Path, **extra: Any) -> MarbleNet:
    files = [path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()]
    chosen = FAMILY.select(files, None)
    assert chosen is not None
    source = Source(root.name, [root / path for path in chosen], root=root)
    return FAMILY.load(source, {path: root / path for path in chosen}, LoadOptions(extra=extra))


def noise(count: int, seed: int) -> NDArray[np.float32]:
    """Bursts, so that probabilities change."""
    random = np.random.default_rng(seed)
    loudness = np.repeat(10 ** random.uniform(-4, -0.5, -(-count // 1600)), 1600)[:count]
    return (random.standard_normal(count) * loudness).astype(np.float32)


def told(model: VoiceDetector, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return model.detect([model.prepare(Heard(samples, last=True))])[0].probabilities


def bare(root: Path, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """onnxruntime alone, on the whole clip."""
    padded = np.pad(samples, (0, -len(samples) % 320))[None]
    length = np.array([padded.shape[1]], np.int64)
    front = onnxruntime.InferenceSession(root / "preprocessor.onnx")
    features, counted = front.run(["features", "features_lens"], {"audio": padded, "audio_length": length})
    (graph,) = (path for path in root.glob("*.onnx") if path.name != "preprocessor.onnx")
    given = {"processed_signal": features[:, :, : counted[0]], "processed_signal_length": counted}
    probabilities: NDArray[np.float32] = onnxruntime.InferenceSession(graph).run(["softmax_output"], given)[0][0, :, 0]
    return probabilities


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_marblenet(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def model(tiny: Path) -> MarbleNet:
    return opened(tiny)


# -- what it says ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 320, 4000, 48_000, 48_111])
def test_it_says_what_the_bare_graph_says_of_the_whole_clip(tiny: Path, model: MarbleNet, count: int) -> None:
    samples = noise(count, 1)
    mine, theirs = told(model, samples), bare(tiny, samples)
    assert len(mine) == -(-count // 320) == len(theirs)
    np.testing.assert_allclose(mine, theirs, atol=2e-6)
    assert count < 48_000 or theirs.std() > 0.05  # else any constant would do


def test_the_demo_detector_says_what_its_bare_graph_says_of_the_whole_clip() -> None:
    samples = noise(64_000, 2)
    np.testing.assert_allclose(told(opened(DEMO), samples), bare(DEMO, samples), atol=1e-5)


def test_windows_can_be_made_to_show_all_that_a_network_looks_at(tmp_path: Path) -> None:
    root = tiny_marblenet(tmp_path, reach=30)  # 0.6 s to either side, where a window shows 0.08 s of what comes
    samples = noise(64_000, 3)
    mine, theirs = told(opened(root), samples), bare(root, samples)
    assert np.abs(mine - theirs).max() > 1e-3
    further = told(opened(root, ahead_seconds=0.66), samples)
    np.testing.assert_allclose(further, theirs, atol=2e-6)


# -- in pieces, and beside others --------------------------------------------------------------------------------------


def streamed(model: MarbleNet, streams: Sequence[NDArray[np.float32]], places: Sequence[Sequence[int]]) -> list[Any]:
    """Several streams in one batch after the other, each cut at its own places, their states pickled in between."""
    pieces = [np.split(stream, sorted(cuts)) for stream, cuts in zip(streams, places, strict=True)]
    states: list[Any] = [None] * len(streams)
    found: list[list[NDArray[np.float32]]] = [[] for _ in streams]
    for at in range(max(map(len, pieces))):
        going = [which for which, parts in enumerate(pieces) if at < len(parts)]
        kept = pickle.loads(pickle.dumps([states[which] for which in going]))
        heard = [
            Heard(pieces[which][at], state, at + 1 == len(pieces[which]))
            for which, state in zip(going, kept, strict=True)
        ]
        batch = [model.prepare(each) for each in heard]
        results: Sequence[Detected] = model.detect(batch)
        for which, result in zip(going, results, strict=True):
            states[which] = result.state
            found[which].append(result.probabilities)
    assert states == [None] * len(streams)
    return [np.concatenate(parts) for parts in found]


@given(st.data())
@settings(max_examples=12, deadline=None)
def test_neither_pieces_nor_company_change_a_bit(model: MarbleNet, data: st.DataObject) -> None:
    streams = [noise(data.draw(st.integers(0, 24_000)), seed) for seed in range(data.draw(st.integers(1, 4)))]
    places = [data.draw(st.lists(st.integers(0, len(stream)), max_size=6)) for stream in streams]
    for stream, found in zip(streams, streamed(model, streams, places), strict=True):
        np.testing.assert_array_equal(found, told(model, stream))


# -- loading -----------------------------------------------------------------------------------------------------------


def test_the_export_with_two_classes_tells_the_probability_of_the_second(tmp_path: Path) -> None:
    root = tiny_marblenet(tmp_path / "logits", layout="logits")
    samples = noise(32_000, 4)
    tiny_marblenet(tmp_path / "other")  # for its preprocessor
    front = onnxruntime.InferenceSession(tmp_path / "other" / "preprocessor.onnx")
    given = {"audio": samples[None], "audio_length": np.array([32_000], np.int64)}
    features, counted = front.run(["features", "features_lens"], given)
    signal = {"processed_signal": features[:, :, : counted[0]], "processed_signal_length": counted}
    logits = onnxruntime.InferenceSession(root / GRAPH).run(["logits"], signal)[0][0].astype(np.float64)
    wanted = np.exp(logits[:, 1]) / np.exp(logits).sum(1)
    assert wanted.std() > 0.05
    np.testing.assert_allclose(told(opened(root), samples), wanted, atol=2e-5)


@pytest.mark.parametrize("mels", [64, 80])
def test_the_number_of_filters_is_read_from_the_graph(tmp_path: Path, mels: int) -> None:
    for layout in ("softmax", "logits"):
        root = tiny_marblenet(tmp_path / layout, layout=layout, mels=mels)
        assert len(told(opened(root), noise(16_000, 5))) == 50


def test_what_it_is_is_said() -> None:
    info = opened(DEMO).info
    assert (info.kind, info.architecture, info.sample_rate, info.frame) == ("voice_detector", "marblenet", 16_000, 320)
    assert info.licence == "Apache-2.0"
    assert info.placement is not None
    assert info.placement.devices == ("cpu",)
    assert info.weight_bytes < 400_000


def test_only_marblenet_is_taken_for_marblenet() -> None:
    graph = "frame_vad_multilingual_marblenet_v2.0.onnx"
    assert FAMILY.select([graph, "README.md"], None) == [graph]
    assert FAMILY.select(["preprocessor.onnx", graph], None) == [graph, "preprocessor.onnx"]
    assert FAMILY.select([graph, f"{graph}.data"], None) == [graph, f"{graph}.data"]
    small = graph.replace(".onnx", "_int8.onnx")
    assert FAMILY.select([graph, small, "preprocessor.onnx"], "int8") == [small, "preprocessor.onnx"]
    with pytest.raises(ModelNotFound, match="no fp16"):
        FAMILY.select([graph, small], "fp16")
    assert FAMILY.select(["preprocessor.onnx", "encoder.onnx", "decoder.onnx"], None) is None
    assert FAMILY.select(["onnx/model.onnx", "silero_vad.onnx"], None) is None


def test_graphs_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    root = tiny_marblenet(tmp_path / "wide")
    tiny_marblenet(tmp_path / "narrow", mels=64)
    (tmp_path / "narrow" / "preprocessor.onnx").rename(root / "preprocessor.onnx")
    with pytest.raises(UnsupportedModel, match="do not fit"):
        opened(root)


def test_what_is_no_sound_is_refused(model: MarbleNet) -> None:
    wrong: list[Any] = [np.zeros((2, 9), np.float32), np.zeros(9, np.int16), np.full(9, np.nan, np.float32)]
    for samples in wrong:
        with pytest.raises(UnsupportedInput):
            model.prepare(Heard(samples))
    with pytest.raises(UnsupportedInput, match="Heard"):
        model.prepare(Clip(np.zeros(9, np.float32)))
    assert model.prepare(Heard(np.zeros(9, np.float64))).samples.dtype == np.float32


def test_an_option_that_it_does_not_have_is_named(tiny: Path) -> None:
    with pytest.raises(UnsupportedInput, match=r"'lookahead'.*ahead_seconds"):
        opened(tiny, lookahead=1.0)
    with pytest.raises(UnsupportedInput, match="ahead_seconds is a number"):
        opened(tiny, ahead_seconds="long")
