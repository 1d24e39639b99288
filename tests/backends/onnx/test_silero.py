"""Silero says the same as a bare loop over its graph, whatever the pieces and whoever is beside it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.abc import Heard, LoadOptions, Source
from sauropod.errors import ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.silero import FAMILY, Silero  # noqa: E402
from sauropod.testing.models.speech.graphs import Drawing  # noqa: E402
from sauropod.testing.models.speech.vad import tiny_silero  # noqa: E402


def opened(path: Path, **extra: Any) -> Silero:
    source = Source(path.name, [path], root=path.parent)
    return FAMILY.load(source, {path.name: path}, LoadOptions(extra=extra))


def noise(count: int, seed: int) -> NDArray[np.float32]:
    random = np.random.default_rng(seed)
    loudness = np.repeat(10 ** random.uniform(-3, -0.3, -(-count // 900)), 900)[:count]
    return (random.standard_normal(count) * loudness).astype(np.float32)


def told(model: Silero, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return model.detect([model.prepare(Heard(samples, last=True))])[0].probabilities


def bare(path: Path, samples: NDArray[np.float32], rate: int = 16_000) -> NDArray[np.float32]:
    """onnxruntime alone, chunk by chunk, as the model's author does it."""
    session = onnxruntime.InferenceSession(path)
    size = 512 if rate == 16_000 else 256
    before, state, found = np.zeros(size // 8, np.float32), np.zeros((2, 1, 128), np.float32), []
    for chunk in np.pad(samples, (0, -len(samples) % size)).reshape(-1, size):
        given = {"input": np.concatenate([before, chunk])[None], "state": state, "sr": np.array(rate, np.int64)}
        output, state = session.run(None, {name: given[name] for name in (each.name for each in session.get_inputs())})
        before = chunk[-size // 8 :]
        found.append(output[0, 0])
    return np.array(found, np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_silero(tmp_path_factory.mktemp("silero") / "silero_vad.onnx")


@pytest.fixture(scope="module")
def model(path: Path) -> Silero:
    return opened(path)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 20_000])
def test_it_says_what_a_bare_loop_says(path: Path, model: Silero, count: int) -> None:
    samples = noise(count, 1)
    wanted = bare(path, samples)
    assert len(wanted) == -(-count // 512)
    assert count < 20_000 or wanted.std() > 0.05
    np.testing.assert_array_equal(told(model, samples), wanted)


def test_the_samples_in_front_of_a_chunk_are_those_of_the_chunk_before(path: Path, model: Silero) -> None:
    samples = noise(2048, 2)
    changed = samples.copy()
    changed[1500:1536] += 0.5  # the end of the third chunk, which the fourth sees again
    at_once = told(model, changed)
    assert at_once[3] != told(model, samples)[3]
    np.testing.assert_array_equal(at_once, bare(path, changed))


@given(st.data())
@settings(max_examples=15, deadline=None)
def test_neither_pieces_nor_company_change_a_bit(model: Silero, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, 11), label="streams")  # more than are computed at once
    streams = [noise(data.draw(st.integers(0, 6000)), seed) for seed in range(count)]
    pieces = [
        np.split(stream, sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=4)))) for stream in streams
    ]
    states: list[Any] = [None] * count
    found: list[list[NDArray[np.float32]]] = [[] for _ in streams]
    for at in range(max(map(len, pieces))):
        going = [which for which, parts in enumerate(pieces) if at < len(parts)]
        kept = pickle.loads(pickle.dumps([states[which] for which in going]))
        heard = [
            Heard(pieces[which][at], state, at + 1 == len(pieces[which]))
            for which, state in zip(going, kept, strict=True)
        ]
        batch = [model.prepare(each) for each in heard]
        for which, result in zip(going, model.detect(batch), strict=True):
            states[which] = result.state
            found[which].append(result.probabilities)
    for stream, parts in zip(streams, found, strict=True):
        np.testing.assert_array_equal(np.concatenate(parts), told(model, stream))


def test_batches_whose_rows_come_out_otherwise_than_alone_are_not_computed(tmp_path: Path) -> None:
    draw = Drawing("company")
    chunk = draw.input("input", np.float32, "batch", 576)
    state = draw.input("state", np.float32, 2, "batch", 128)
    every = draw.add("ReduceMean", chunk, axes=[0, 1], keepdims=1)  # over the rows, too
    shares = draw.add("Sigmoid", draw.add("Add", draw.linear(chunk, 576, 1), every))
    draw.output("output", shares, np.float32, "batch", 1)
    draw.output("stateN", draw.add("Tanh", state), np.float32, 2, "batch", 128)
    model = opened(draw.write(tmp_path / "silero_vad.onnx"))
    assert model.sizes == [1]
    streams = [noise(3000, seed) for seed in range(3)]
    for stream, result in zip(streams, model.detect([Heard(each, last=True) for each in streams]), strict=True):
        np.testing.assert_array_equal(result.probabilities, told(model, stream))


def test_here_eight_streams_are_computed_together(model: Silero) -> None:
    assert model.info.batch == model.sizes[0] == 8  # fails where onnxruntime rounds batches otherwise: that costs speed


def test_eight_thousand_samples_a_second_are_an_option(tmp_path: Path) -> None:
    path = tiny_silero(tmp_path / "silero_vad.onnx", rate=8_000, with_rate=False)
    model = opened(path, sample_rate=8000)
    assert (model.info.sample_rate, model.info.frame) == (8000, 256)
    np.testing.assert_array_equal(told(model, noise(3000, 3)), bare(path, noise(3000, 3), 8_000))
    with pytest.raises(UnsupportedInput, match="16000 or 8000"):
        opened(path, sample_rate=44_100)


def test_what_is_no_silero_is_refused(tmp_path: Path) -> None:
    draw = Drawing("other")
    draw.output("output", draw.add("Tanh", draw.input("input", np.float32, 1, 4)), np.float32, 1, 4)
    with pytest.raises(UnsupportedModel, match="lacks the inputs state"):
        opened(draw.write(tmp_path / "model.onnx"))
    with pytest.raises(UnsupportedModel, match="version 5"):
        opened(tiny_silero(tmp_path / "silero_vad.onnx", rate=8_000))


def test_it_is_known_by_its_name_or_by_what_is_not_beside_it() -> None:
    bare_model = ["README.md", "config.json", "onnx/model.onnx", "onnx/model_fp16.onnx"]
    assert FAMILY.select(bare_model, None) == ["onnx/model.onnx"]
    assert FAMILY.select(bare_model, "fp16") == ["onnx/model_fp16.onnx"]
    with pytest.raises(ModelNotFound, match="no q4"):
        FAMILY.select(bare_model, "q4")
    package = ["silero_vad_half.onnx", "silero_vad.onnx", "silero_vad_op18_ifless.onnx", "silero_vad.jit"]
    assert FAMILY.select(package, None) == ["silero_vad.onnx"]
    assert FAMILY.select(["files/silero_vad.onnx", "onnx/model.onnx"], None) == ["files/silero_vad.onnx"]
    assert FAMILY.select(["silero_vad_16k_op15.onnx"], None) == ["silero_vad_16k_op15.onnx"]
    assert FAMILY.select(["onnx/model.onnx", "tokenizer.json", "voices/af_heart.bin"], None) is None  # Kokoro
    assert FAMILY.select(["onnx/model.onnx", "voices-v1.0.bin"], None) is None
    assert FAMILY.select(["onnx/decoder_model.onnx", "onnx/encoder_model.onnx"], None) is None  # SNAC
    assert FAMILY.select(["smart-turn-v3.2-cpu.onnx"], None) is None
    assert FAMILY.select(["onnx/model.onnx", "tokenizer_config.json", "vocab.txt"], None) is None  # a text model
