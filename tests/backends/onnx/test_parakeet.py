"""Parakeet in both its layouts: which files it takes, and that it hears what the peer hears."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

import sauropod
from sauropod.abc import Clip, LoadOptions, Recognized, Recognizer, Source
from sauropod.backends.onnx.bucketing import LARGEST, buckets
from sauropod.backends.onnx.parakeet import FAMILY
from sauropod.errors import ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
onnx_asr = pytest.importorskip("onnx_asr", reason="onnx-asr is not installed")

from sauropod.testing.models.speech import tiny_parakeet  # noqa: E402

# -- which files -----------------------------------------------------------------------------------------------------

ISTUPAKOV = (
    *(".gitattributes", "README.md", "config.json", "vocab.txt", "nemo128.onnx"),
    *("encoder-model.onnx", "encoder-model.onnx.data", "encoder-model.int8.onnx"),
    *("decoder_joint-model.onnx", "decoder_joint-model.int8.onnx"),
)
INDEXED = (
    *("README.md", "preprocessor.onnx", "encoder.onnx", "encoder.onnx_data", "encoder.onnx_data_1"),
    *("decoder.onnx", "tokenizer.json", "encoder.int8.onnx"),
)


def test_the_joint_layout_is_taken_with_its_weights() -> None:
    assert set(FAMILY.select(ISTUPAKOV, None) or ()) == {
        *("encoder-model.onnx", "encoder-model.onnx.data", "decoder_joint-model.onnx", "vocab.txt", "config.json")
    }


def test_a_quantisation_is_taken_without_the_weights_of_the_plain_one() -> None:
    assert set(FAMILY.select(ISTUPAKOV, "int8") or ()) == {
        *("encoder-model.int8.onnx", "decoder_joint-model.int8.onnx", "vocab.txt", "config.json")
    }


def test_the_index_layout_is_taken_with_its_preprocessor() -> None:
    common = {"preprocessor.onnx", "decoder.onnx", "tokenizer.json"}
    plain = {"encoder.onnx", "encoder.onnx_data", "encoder.onnx_data_1"}
    assert set(FAMILY.select(INDEXED, None) or ()) == common | plain
    assert set(FAMILY.select(INDEXED, "int8") or ()) == common | {"encoder.int8.onnx"}


def test_a_quantisation_that_is_not_there_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="there are: fp32, int8"):
        FAMILY.select(ISTUPAKOV, "q4")


@pytest.mark.parametrize(
    "files",
    [
        ("onnx/encoder_model.onnx", "onnx/decoder_model_merged.onnx", "tokenizer.json", "vocab.json", "config.json"),
        ("encoder-model.onnx", "decoder-model.onnx", "vocab.txt", "config.json"),
        ("model.onnx", "vocab.txt", "config.json"),
        ("preprocessor.onnx", "frame_vad_multilingual_marblenet_v2.0.onnx"),
        ("encoder-model.onnx", "decoder_joint-model.onnx"),
        (),
    ],
    ids=["whisper", "canary", "ctc", "marblenet", "no vocabulary", "nothing"],
)
def test_other_models_are_left_alone(files: Sequence[str]) -> None:
    assert FAMILY.select(files, None) is None


def test_graphs_may_be_in_a_folder() -> None:
    files: tuple[str, ...] = ("vocab.txt", "config.json", "onnx/encoder-model.onnx", "onnx/decoder_joint-model.onnx")
    assert set(FAMILY.select(files, None) or ()) == set(files)
    files = tuple(f"v2/{each}" for each in ISTUPAKOV)
    assert set(FAMILY.select(files, "int8") or ()) == {
        *("v2/encoder-model.int8.onnx", "v2/decoder_joint-model.int8.onnx", "v2/vocab.txt", "v2/config.json")
    }


def test_choosing_files_loads_nothing_native() -> None:
    code = (
        "import sys; from sauropod.backends.onnx import Onnx\n"
        f"Onnx().select({ISTUPAKOV!r}, 'int8')\n"
        "print([name for name in ('numpy', 'onnxruntime', 'onnx') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


# -- loading ---------------------------------------------------------------------------------------------------------


def load(root: Path, **options: Any) -> Recognizer:
    files = FAMILY.select([each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file()], None)
    assert files is not None
    options = {"device": "cpu", "threads": 1, **options}
    return FAMILY.load(Source("tiny", root=root), {each: root / each for each in files}, LoadOptions(**options))


def noise(seed: int, *lengths: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return [random.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def hear(model: Recognizer, clips: Sequence[NDArray[np.float32]]) -> Sequence[Recognized]:
    return model.recognize([model.prepare(Clip(each)) for each in clips])


def test_what_is_known_of_it(tmp_path: Path) -> None:
    model = load(tiny_parakeet(tmp_path, external_data=True), slots=5)
    info = model.info
    assert (info.name, info.backend, info.architecture, info.kind) == ("tiny", "onnx", "parakeet-tdt", "recognizer")
    assert (info.sample_rate, info.frame, info.batch, info.languages) == (16_000, 1280, 5, ())
    assert info.max_seconds > 30
    assert info.weight_bytes == sum(each.stat().st_size for each in tmp_path.glob("*.onnx*"))
    assert info.placement is not None
    assert (info.placement.requested, info.placement.devices) == ("cpu", ("cpu",))


@pytest.mark.parametrize(("pieces", "languages"), [(1024, 1), (8192, 25)])
def test_its_languages_are_those_of_its_vocabulary(pieces: int, languages: int, tmp_path: Path) -> None:
    model = load(tiny_parakeet(tmp_path, pieces=pieces, hidden=8, width=16))
    assert len(set(model.info.languages)) == languages
    assert "en" in model.info.languages
    (heard,) = hear(model, noise(0, 16_000))
    assert heard.language == ("en" if languages == 1 else None)


def test_its_languages_may_be_said(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path)
    (root / "config.json").write_text('{"features_size": 128, "languages": ["en", "de"]}')
    assert load(root).info.languages == ("en", "de")


def test_it_closes(tmp_path: Path) -> None:
    for layout in ("joint", "index"):
        load(tiny_parakeet(tmp_path / layout, layout=layout)).close()


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("config.json", b"{", "no JSON"),
        ("config.json", b"[]", "no JSON object"),
        ("config.json", b'{"subsampling_factor": 0}', "no count"),
        ("config.json", b'{"languages": "en"}', "no list"),
        ("vocab.txt", b"", "vocab.txt"),
        ("vocab.txt", b"".join(b"%d %d\n" % (each, each) for each in range(500)), "different models"),
        ("encoder-model.onnx", b"PK\x03\x04", "zip"),
    ],
)
def test_files_that_are_wrong_are_refused(name: str, content: bytes, error: str, tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path)
    (root / name).write_bytes(content)
    with pytest.raises(UnsupportedModel, match=error):
        load(root)


def test_graphs_in_each_others_place_are_refused(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path)
    shutil.copy(root / "decoder_joint-model.onnx", root / "encoder-model.onnx")
    with pytest.raises(UnsupportedModel, match="lacks the inputs audio_signal, length"):
        load(root)


# -- hearing ---------------------------------------------------------------------------------------------------------


@cache
def shared(folder: Path) -> Recognizer:
    return load(tiny_parakeet(folder, seed=5), slots=3)


@pytest.mark.parametrize("seed", range(6))
def test_both_layouts_hear_what_their_graphs_say(seed: int, tmp_path: Path) -> None:
    """The joint as the peer reads it; the index layout as an RNN-T loop over the joint of the same weights."""
    joint = tiny_parakeet(tmp_path / "joint", seed=seed, mels=(128, 80)[seed % 2])
    index = tiny_parakeet(tmp_path / "index", seed=seed, mels=(128, 80)[seed % 2], layout="index")
    clips = noise(seed, 4000, 20_000, 9000)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    peer = onnx_asr.load_model(None, joint, sess_options=options, providers=["CPUExecutionProvider"])
    wanted = [peer.with_timestamps().recognize(clip) for clip in clips]
    model: Any = load(joint)
    heard = hear(model, clips)
    said = model._decoder.decode(model._encoder.encode([model.prepare(Clip(clip)).features for clip in clips]))
    for ours, tokens, theirs in zip(heard, said, wanted, strict=True):
        pieces = [model._vocabulary.pieces[token.id].replace("▁", " ") for token in tokens]
        assert pieces == theirs.tokens
        np.testing.assert_allclose([token.frame * 0.08 for token in tokens], theirs.timestamps or [], atol=1e-9)
        letters = "".join(piece for piece in pieces if piece != "<unk>").replace(" ", "")
        assert ours.text.replace(" ", "") == letters
    assert any(each.text for each in heard)

    indexed: Any = load(index)
    encoded = indexed._encoder.encode([indexed.prepare(Clip(clip)).features for clip in clips])
    for each, tokens in zip(encoded, indexed._decoder.decode(encoded), strict=True):
        assert [(token.id, token.frame) for token in tokens] == plain_rnnt(model._decoder.graph, each, 48)
    assert any(each.text for each in hear(indexed, clips))


def plain_rnnt(graph: Any, encoded: NDArray[np.float32], blank: int) -> list[tuple[int, int]]:
    """As simple as it can be written."""
    said: list[tuple[int, int]] = []
    states = [np.zeros((2, 1, 32), np.float32)] * 2
    for frame in range(encoded.shape[1]):
        for _ in range(10):
            given = {
                "encoder_outputs": encoded[None, :, frame : frame + 1],
                "targets": np.asarray([[said[-1][0] if said else blank]], np.int32),
                "target_length": np.ones(1, np.int32),
                "input_states_1": states[0],
                "input_states_2": states[1],
            }
            scores, *after = graph.run(["outputs", "output_states_1", "output_states_2"], given)
            token = int(scores[0, 0, 0, : blank + 1].argmax())
            if token == blank:
                break
            said.append((token, frame))
            states = after
    return said


@given(st.lists(st.integers(1, 30_000), min_size=1, max_size=7), st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None, derandomize=True)  # rounding may tip a near tie, once in thousands
def test_a_clip_is_heard_alike_in_any_company(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[int], random: Any
) -> None:
    model = shared(tmp_path_factory.getbasetemp() / "parakeet")
    clips = noise(1, *lengths)
    alone = [hear(model, [clip])[0] for clip in clips]
    order = list(range(len(clips)))
    random.shuffle(order)
    for each, heard in zip(order, hear(model, [clips[each] for each in order]), strict=True):
        assert heard.text == alone[each].text
        assert [(word.start, word.end) for word in heard.words] == [
            (word.start, word.end) for word in alone[each].words
        ]
        np.testing.assert_allclose(
            [word.confidence for word in heard.words], [word.confidence for word in alone[each].words], rtol=1e-3
        )
        assert heard.text == " ".join(word.text for word in heard.words)
        assert all(word.end <= lengths[each] / 16_000 for word in heard.words)


@pytest.mark.parametrize("layout", ["joint", "index"])
@pytest.mark.parametrize("count", [1, 159, 160, 321, 1600])
def test_very_short_clips_are_heard(layout: Any, count: int, tmp_path: Path) -> None:
    (heard,) = hear(load(tiny_parakeet(tmp_path, layout=layout)), noise(0, count))
    assert all(0 <= word.start <= word.end <= count / 16_000 for word in heard.words)


ONES = np.ones(1600, np.float32)


@pytest.mark.parametrize(
    ("clip", "error"),
    [
        (Clip(ONES[:0]), "empty"),
        (Clip(ONES.astype(np.float64)), "float64"),
        (Clip((ONES * 1000).astype(np.int16)), "int16"),
        (Clip(ONES[None]), r"\[1, 1600\]"),
        (Clip(list(ONES)), "list"),  # type: ignore[arg-type]
        (Clip(np.concatenate([ONES, [np.nan]]).astype(np.float32)), "no numbers"),
        (Clip(ONES * np.float32(np.inf)), "no numbers"),
        (Clip(np.zeros(121 * 16_000, np.float32)), "121.0 s long"),
        (ONES, "Clip"),
        (None, "Clip"),
    ],
)
def test_a_clip_that_cannot_be_heard_is_refused(
    clip: Any, error: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    model = shared(tmp_path_factory.getbasetemp() / "parakeet")
    with pytest.raises(UnsupportedInput, match=error):
        model.prepare(clip)


def test_another_language_is_refused_and_a_region_is_not(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path)
    (root / "config.json").write_text(json.dumps({"features_size": 128, "languages": ["en"]}))
    model = load(root)
    with pytest.raises(UnsupportedInput, match="'de'"):
        model.prepare(Clip(ONES, "de"))
    (heard,) = model.recognize([model.prepare(Clip(ONES, "en-US"))])
    assert heard.language == "en-US"


# -- batches ---------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(2, 12_000), max_size=30), st.integers(1, 9))
def test_batches_hold_every_clip_once_and_little_padding(lengths: list[int], most: int) -> None:
    found = buckets(lengths, most)
    assert sorted(index for bucket in found for index in bucket) == list(range(len(lengths)))
    for bucket in found:
        longest = max(lengths[each] for each in bucket)
        size = len(bucket) * longest
        assert len(bucket) <= most
        assert len(bucket) == 1 or size <= LARGEST
        assert size - sum(lengths[each] for each in bucket) < 0.2 * size


def test_clips_of_one_length_go_together() -> None:
    assert [len(each) for each in buckets([100] * 10, 4)] == [4, 4, 2]


# -- the demo model --------------------------------------------------------------------------------------------------

DEMO = Path(sauropod.__file__).parent / "assets" / "demo-ears"


@pytest.mark.skipif(not (DEMO / "vocab.txt").exists(), reason="the demo ears are not in this checkout")
def test_the_demo_model_says_what_it_says_in_onnx_asr() -> None:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    peer = onnx_asr.load_model(None, DEMO, sess_options=options, providers=["CPUExecutionProvider"]).with_timestamps()
    model: Any = load(DEMO)
    clips = [np.sin(np.arange(n) / 9).astype(np.float32) * clip for n, clip in [(30_000, 0.3)]] + noise(2, 9000, 40_000)
    said = model._decoder.decode(model._encoder.encode([model.prepare(Clip(clip)).features for clip in clips]))
    for tokens, clip in zip(said, clips, strict=True):
        theirs = peer.recognize(clip)
        assert [model._vocabulary.pieces[token.id].replace("▁", " ") for token in tokens] == theirs.tokens
        np.testing.assert_allclose([token.frame * 0.08 for token in tokens], theirs.timestamps or [], atol=1e-9)
