"""Decoding says what the peer says, whoever shares the batch."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod.abc import LoadOptions
from sauropod.errors import BackendError, UnsupportedModel

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
onnx_asr = pytest.importorskip("onnx_asr", reason="onnx-asr is not installed")

from sauropod.backends.onnx.providers import open_graph  # noqa: E402
from sauropod.backends.onnx.tdt import Joint  # noqa: E402
from sauropod.backends.onnx.tokens import Token, read_vocabulary  # noqa: E402
from sauropod.testing.models.speech import tiny_parakeet  # noqa: E402

ONE = LoadOptions(device="cpu", threads=1)
WIDTH = 48


def joint(root: Path, **options: Any) -> Joint:
    vocabulary = read_vocabulary(root / "vocab.txt")
    graph = open_graph(root / "decoder_joint-model.onnx", ONE)
    return Joint(graph, vocabulary.blank, vocabulary.size, **options)


def utterances(seed: int, *lengths: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return [random.normal(0, 1, (WIDTH, length)).astype(np.float32) for length in lengths]


def peers(root: Path) -> Any:
    """The same files in onnx-asr."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnx_asr.load_model(None, root, sess_options=options, providers=["CPUExecutionProvider"]).asr


def assert_alike(ours: list[Token], theirs: tuple[Any, Any, Any]) -> None:
    tokens, frames, logs = theirs
    assert [each.id for each in ours] == list(tokens)
    assert [each.frame for each in ours] == list(frames)
    np.testing.assert_allclose([each.confidence for each in ours], np.exp(logs), rtol=1e-3)


@pytest.mark.parametrize("seed", range(36))
def test_tokens_times_and_confidences_are_those_of_onnx_asr(seed: int, tmp_path: Path) -> None:
    root = tiny_parakeet(
        tmp_path,
        seed=seed,
        width=WIDTH,
        durations=(5, 5, 5, 3, 1, 0)[seed % 6],
        blank=(0.5, 0.7, 0.3, 0.9)[seed % 4],
        pieces=40 + seed,
    )
    spoken = utterances(seed, 1, 9, 14, 23)
    peer = peers(root)
    lengths = np.asarray([each.shape[1] for each in spoken])
    padded = np.zeros((len(spoken), lengths.max(), WIDTH), np.float32)
    for row, each in zip(padded, spoken, strict=True):
        row[: each.shape[1]] = each.T
    theirs = list(peer._decoding(padded, lengths, need_logprobs=True))
    ours = joint(root).decode(spoken)
    assert any(ours), "all blank"
    for mine, its in zip(ours, theirs, strict=True):
        assert_alike(mine, its)


@cache
def shared(folder: Path) -> Joint:
    return joint(tiny_parakeet(folder, seed=7, width=WIDTH), rows=4)


@given(st.lists(st.integers(0, 20), min_size=1, max_size=10), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None, derandomize=True)  # rounding may tip a near tie, once in thousands of clips
def test_nobody_is_heard_otherwise_for_who_shares_the_batch(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], random: Any
) -> None:
    model = shared(tmp_path_factory.getbasetemp() / "shared")
    spoken = utterances(3, *lengths)
    alone = [model.decode([each])[0] for each in spoken]
    order = list(range(len(spoken)))
    random.shuffle(order)
    together = model.decode([spoken[each] for each in order])
    for place, each in enumerate(order):
        ours, wanted = together[place], alone[each]
        assert [(token.id, token.frame, token.frames) for token in ours] == [
            (token.id, token.frame, token.frames) for token in wanted
        ]
        np.testing.assert_allclose([t.confidence for t in ours], [t.confidence for t in wanted], rtol=1e-4)


def test_no_utterance_is_nothing_said(tmp_path: Path) -> None:
    model = joint(tiny_parakeet(tmp_path, width=WIDTH))
    assert model.decode([]) == []
    assert model.decode(utterances(0, 0, 0)) == [[], []]


@pytest.mark.parametrize("most", [1, 3, 10])
def test_one_who_never_moves_on_says_so_many_tokens_a_frame(most: int, tmp_path: Path) -> None:
    model = joint(tiny_parakeet(tmp_path, width=WIDTH, durations=1, blank=1e-9), most_symbols=most)
    (said,) = model.decode(utterances(0, 5))
    assert [token.frame for token in said] == [frame for frame in range(5) for _ in range(most)]


def test_the_next_token_comes_after_the_frames_that_one_skips(tmp_path: Path) -> None:
    (said,) = joint(tiny_parakeet(tmp_path, width=WIDTH, blank=0.2)).decode(utterances(0, 40))
    assert {token.frames for token in said} == {0, 1, 2, 3, 4}
    for token, following in pairwise(said):
        assert following.frame >= token.frame + (token.frames or 0)


def test_scores_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path, width=WIDTH, blank=1e-9)
    path = root / "decoder_joint-model.onnx"
    model = onnx.load(path)
    last = model.graph.initializer[-1]
    assert list(last.dims) == [48 + 1 + 5]
    last.CopyFrom(onnx.numpy_helper.from_array(np.full(54, np.nan, np.float32), last.name))
    onnx.save(model, path)
    with pytest.raises(BackendError, match="no numbers"):
        joint(root).decode(utterances(0, 5))


def test_a_joint_in_half_precision_is_fed_such(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path, width=WIDTH)
    spoken = utterances(0, 9, 12)
    plain = joint(root).decode(spoken)
    path = root / "decoder_joint-model.onnx"
    model = onnx.load(path)
    model.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.FLOAT16
    for node in model.graph.node:
        node.input[:] = ["wide" if name == "encoder_outputs" else name for name in node.input]
    model.graph.node.insert(0, onnx.helper.make_node("Cast", ["encoder_outputs"], ["wide"], to=onnx.TensorProto.FLOAT))
    onnx.save(model, path)
    half = joint(root)
    for said in (half.decode(spoken), [half.decode([each])[0] for each in spoken]):
        for ours, wanted in zip(said, plain, strict=True):
            assert [token.id for token in ours] == [token.id for token in wanted]


def test_the_joint_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    graph = open_graph(tiny_parakeet(tmp_path) / "decoder_joint-model.onnx", ONE)
    with pytest.raises(UnsupportedModel, match="different models"):
        Joint(graph, 1024, 1025)


def test_a_graph_that_is_no_joint_is_refused(tmp_path: Path) -> None:
    graph = open_graph(tiny_parakeet(tmp_path) / "encoder-model.onnx", ONE)
    with pytest.raises(UnsupportedModel, match="lacks the inputs encoder_outputs"):
        Joint(graph, 48, 49)
