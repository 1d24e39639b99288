"""The demo recogniser that ships: the contract of istupakov's Parakeet TDT exports, kept for every length and batch."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

onnxruntime = pytest.importorskip("onnxruntime", reason="it runs in it: pip install 'sauropod[speech]'")

ASSET = Path(__file__).parents[2] / "src" / "sauropod" / "assets" / "demo-ears"
MELS = 128
DURATIONS = 5
FLOAT, INT32, INT64 = "tensor(float)", "tensor(int32)", "tensor(int64)"


@cache
def session(name: str) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(ASSET / f"{name}.onnx", options, providers=["CPUExecutionProvider"])


@cache
def lines() -> list[tuple[str, int]]:
    """The pieces and ids of vocab.txt."""
    parts = [line.split(" ") for line in (ASSET / "vocab.txt").read_text("utf-8").splitlines()]
    return [(piece, int(number)) for piece, number in parts]


def named(values: Any) -> dict[str, tuple[str, list[Any]]]:
    return {each.name: (each.type, each.shape) for each in values}


def is_open(size: Any) -> bool:
    """Whether an axis may be of any size."""
    return not isinstance(size, int)


def encoded(features: NDArray[np.float32], *lengths: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    outputs, counts = session("encoder-model").run(
        ["outputs", "encoded_lengths"], {"audio_signal": features, "length": np.array(lengths, np.int64)}
    )
    return outputs, counts


def step(batch: int, seed: int = 0) -> dict[str, NDArray[Any]]:
    """What the joint takes."""
    inputs = named(session("decoder_joint-model").get_inputs())
    width, hidden = inputs["encoder_outputs"][1][1], inputs["input_states_1"][1][2]
    rng = np.random.default_rng(seed)
    return {
        "encoder_outputs": rng.normal(size=(batch, width, 1)).astype(np.float32),
        "targets": rng.integers(0, len(lines()), (batch, 1)).astype(np.int32),
        "target_length": np.ones(batch, np.int32),
        "input_states_1": rng.normal(size=(1, batch, hidden)).astype(np.float32),
        "input_states_2": rng.normal(size=(1, batch, hidden)).astype(np.float32),
    }


def test_the_encoder_takes_and_gives_what_parakeets_does() -> None:
    inputs, outputs = named(session("encoder-model").get_inputs()), named(session("encoder-model").get_outputs())
    assert {name: kind for name, (kind, _) in inputs.items()} == {"audio_signal": FLOAT, "length": INT64}
    assert {name: kind for name, (kind, _) in outputs.items()} == {"outputs": FLOAT, "encoded_lengths": INT64}
    batch, mels, time = inputs["audio_signal"][1]
    assert (is_open(batch), mels, is_open(time)) == (True, MELS, True)
    assert list(map(is_open, inputs["length"][1])) == [True]
    assert list(map(is_open, outputs["outputs"][1])) == [True, False, True]
    assert list(map(is_open, outputs["encoded_lengths"][1])) == [True]


def test_the_joint_takes_and_gives_what_parakeets_does() -> None:
    joint = session("decoder_joint-model")
    inputs, outputs = named(joint.get_inputs()), named(joint.get_outputs())
    assert {name: kind for name, (kind, _) in inputs.items()} == {
        "encoder_outputs": FLOAT,
        "targets": INT32,
        "target_length": INT32,
        "input_states_1": FLOAT,
        "input_states_2": FLOAT,
    }
    assert {name: kind for name, (kind, _) in outputs.items()} == {
        "outputs": FLOAT,
        "prednet_lengths": INT32,
        "output_states_1": FLOAT,
        "output_states_2": FLOAT,
    }
    width = named(session("encoder-model").get_outputs())["outputs"][1][1]
    assert inputs["encoder_outputs"][1][1:] == [width, 1]
    assert inputs["targets"][1][1:] == [1]
    for state in ("input_states_1", "input_states_2"):
        layers, batch, hidden = inputs[state][1]
        assert (is_open(layers), is_open(batch), is_open(hidden)) == (False, True, False)
        assert outputs[state.replace("input", "output")][1] == [layers, batch, hidden]


def test_there_is_a_score_for_every_line_of_the_vocabulary_and_every_duration() -> None:
    assert named(session("decoder_joint-model").get_outputs())["outputs"][1][1:] == [1, 1, len(lines()) + DURATIONS]
    assert [number for _, number in lines()] == list(range(len(lines())))
    assert lines()[-1][0] == "<blk>"
    assert len({piece for piece, _ in lines()}) == len(lines())
    assert all(piece and "\n" not in piece for piece, _ in lines())


def test_the_pieces_spell_every_word_of_the_demo() -> None:
    from examples.train.ears.lexicon import lexicon

    letters = {piece for piece, _ in lines() if len(piece) == 1}
    assert letters.issuperset("▁,.?")
    assert all(letters.issuperset(word) for word in lexicon().written.values())


def test_the_configuration_is_that_of_a_parakeet() -> None:
    assert json.loads((ASSET / "config.json").read_text("utf-8")) == {
        "model_type": "nemo-conformer-tdt",
        "features_size": MELS,
        "subsampling_factor": 8,
        "languages": ["en"],
    }


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(1, 400), min_size=1, max_size=4), st.integers(0, 60), st.integers(0, 2**31))
def test_neither_padding_nor_company_changes_what_is_heard(lengths: list[int], more: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = [rng.normal(size=(MELS, length)).astype(np.float32) for length in lengths]
    padded = rng.normal(size=(len(rows), MELS, max(lengths) + more)).astype(np.float32)
    for row, features in enumerate(rows):
        padded[row, :, : lengths[row]] = features
    outputs, counts = encoded(padded, *lengths)
    assert counts.tolist() == [-(-length // 8) for length in lengths]
    assert outputs.shape[2] == -(-padded.shape[2] // 8)
    for row, features in enumerate(rows):
        alone, count = encoded(features[None], lengths[row])
        assert alone.shape[2] == count[0]
        assert np.abs(alone[0] - outputs[row, :, : count[0]]).max() < 2e-4


@settings(max_examples=12, deadline=None)
@given(st.integers(1, 5), st.integers(0, 2**31))
def test_a_step_of_a_batch_is_the_steps_of_its_rows(batch: int, seed: int) -> None:
    joint, inputs = session("decoder_joint-model"), step(batch, seed)
    outputs = joint.run(None, inputs)
    assert outputs[0].shape == (batch, 1, 1, len(lines()) + DURATIONS)
    assert outputs[1].tolist() == [1] * batch
    for row in range(batch):
        states = {name: value[:, row : row + 1] for name, value in inputs.items() if "states" in name}
        others = {name: value[row : row + 1] for name, value in inputs.items() if "states" not in name}
        alone = joint.run(None, {**others, **states})
        assert np.abs(alone[0][0] - outputs[0][row]).max() < 1e-4
        for one, all_rows in zip(alone[2:], outputs[2:], strict=True):
            assert np.abs(one[:, 0] - all_rows[:, row]).max() < 1e-5


def test_the_state_tells_steps_apart() -> None:
    joint, inputs = session("decoder_joint-model"), step(1)
    first = joint.run(None, inputs)
    second = joint.run(None, {**inputs, "input_states_1": first[2], "input_states_2": first[3]})
    assert np.abs(first[0] - second[0]).max() > 1e-2


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in ASSET.iterdir()) <= 4_500_000
