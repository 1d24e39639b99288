"""SNAC's codes become the graph's own samples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod.abc import AudioCodec, Codes, LoadOptions, Source
from sauropod.errors import ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.snac import FAMILY, Snac  # noqa: E402
from sauropod.testing.models.speech.kokoro import tiny_kokoro  # noqa: E402
from sauropod.testing.models.speech.snac import tiny_snac  # noqa: E402

PATH = "onnx/decoder_model.onnx"


def opened(root: Path, **options: Any) -> Snac:
    return FAMILY.load(Source("tiny", [root / PATH], root=root), {PATH: root / PATH}, LoadOptions(**options))


def codes(frames: int, seed: int = 0) -> Codes:
    random = np.random.default_rng(seed)
    return Codes([random.integers(0, 4096, frames * ratio) for ratio in (1, 2, 4)])


def bare(root: Path, item: Codes) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(root / PATH)
    given = {f"audio_codes.{level}": each[None] for level, each in enumerate(item.levels)}
    samples: NDArray[np.float32] = session.run(["audio_values"], given)[0]
    return samples.reshape(-1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_snac(tmp_path_factory.mktemp("snac"))


@pytest.fixture(scope="module")
def model(root: Path) -> Snac:
    return opened(root)


def test_it_tells_what_it_is(model: Snac) -> None:
    info = model.info
    assert isinstance(model, AudioCodec)
    assert (info.kind, info.sample_rate, info.frame, info.batch) == ("audio_codec", 24_000, 2048, 1)


@pytest.mark.parametrize("batch", [1, "batch"])
def test_items_are_decoded_as_by_the_graph_alone_whatever_is_beside_them(batch: int | str, tmp_path: Path) -> None:
    root = tiny_snac(tmp_path, batch=batch)
    model = opened(root, slots=3)
    assert model.info.batch == (1 if batch == 1 else 3)
    items = [codes(frames, seed) for seed, frames in enumerate([2, 1, 2, 0, 2, 2, 5])]
    decoded = model.decode_audio([model.prepare(item) for item in items])
    for item, samples in zip(items, decoded, strict=True):
        assert samples.dtype == np.float32
        assert len(samples) == 2048 * len(item.levels[0])
        if len(samples):
            np.testing.assert_allclose(samples, bare(root, item), atol=1e-6)


@pytest.mark.parametrize(
    ("levels", "told"),
    [
        ([np.zeros(1, int), np.zeros(2, int)], "three levels"),
        ([np.zeros(2, int), np.zeros(2, int), np.zeros(8, int)], r"\[2, 2, 8\]"),
        ([np.array([4096]), np.zeros(2, int), np.zeros(4, int)], "0 to 4095"),
        ([np.array([-1]), np.zeros(2, int), np.zeros(4, int)], "0 to 4095"),
        ([np.zeros(1), np.zeros(2), np.zeros(4)], "whole numbers"),
        ([np.zeros((1, 1), int), np.zeros((1, 2), int), np.zeros((1, 4), int)], "one row"),
    ],
)
def test_what_are_no_codes_is_refused_before_its_turn(levels: Any, told: str, model: Snac) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        model.prepare(Codes(levels))
    with pytest.raises(UnsupportedInput, match="Codes are decoded; got list"):
        model.prepare(levels)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    other = tiny_kokoro(tmp_path, voices=("af_heart",)) / "onnx" / "model.onnx"
    with pytest.raises(UnsupportedModel, match=r"lacks the inputs audio_codes\.0"):
        FAMILY.load(Source("x", [other]), {"decoder_model.onnx": other}, LoadOptions())


@pytest.mark.parametrize(
    ("files", "quantization", "graph"),
    [
        (["onnx/decoder_model.onnx", "onnx/encoder_model.onnx", "config.json"], None, "onnx/decoder_model.onnx"),
        (["onnx/decoder_model.onnx", "onnx/decoder_model_fp16.onnx"], "fp16", "onnx/decoder_model_fp16.onnx"),
        (["decoder_model_int8.onnx"], None, "decoder_model_int8.onnx"),
        (["snac_24khz.onnx", "model.gguf"], None, "snac_24khz.onnx"),
    ],
)
def test_a_repositorys_decoder_is_chosen(files: list[str], quantization: str | None, graph: str) -> None:
    assert FAMILY.select(files, quantization) == [graph]


@pytest.mark.parametrize(
    "files",
    [
        [],
        ["onnx/model.onnx"],
        ["onnx/decoder_model.onnx", "onnx/encoder_model.onnx", "tokenizer.json", "vocab.json"],
        ["onnx/decoder_model.onnx", "onnx/decoder_with_past_model.onnx"],
    ],
)
def test_other_models_are_left_to_others(files: list[str]) -> None:
    assert FAMILY.select(files, None) is None


def test_a_quantisation_that_is_not_there_is_told() -> None:
    with pytest.raises(ModelNotFound, match="no q4"):
        FAMILY.select(["onnx/decoder_model.onnx"], "q4")
