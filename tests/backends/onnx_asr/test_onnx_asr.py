"""What onnx-asr hears, through our contract. Its models are tiny and random here; no real Whisper is run."""

from __future__ import annotations

import json
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

from sauropod.abc import Clip, LoadOptions, Recognized, Recognizer, Source
from sauropod.backends.onnx_asr import OnnxAsr
from sauropod.errors import (
    BackendError,
    BackendNotFound,
    DeviceUnavailable,
    ModelNotFound,
    UnsupportedInput,
    UnsupportedModel,
)

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
onnx_asr = pytest.importorskip("onnx_asr", reason="onnx-asr is not installed")

from sauropod.backends.onnx import Onnx  # noqa: E402
from sauropod.backends.onnx_asr.loading import Wanted, wanted  # noqa: E402
from sauropod.testing.models.speech import tiny_parakeet, tiny_whisper  # noqa: E402


def load(name: object, **options: Any) -> Recognizer:
    return OnnxAsr().load(Source(str(name)), LoadOptions(**{"device": "cpu", "threads": 1, **options}))


def noise(seed: int, *lengths: int) -> list[NDArray[np.float32]]:
    random = np.random.default_rng(seed)
    return [random.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def hear(model: Recognizer, clips: Sequence[NDArray[np.float32]], *languages: str | None) -> Sequence[Recognized]:
    told = languages or [None] * len(clips)
    return model.recognize([model.prepare(Clip(*each)) for each in zip(clips, told, strict=True)])


def peers(root: Path) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnx_asr.load_model(None, root, sess_options=options, providers=["CPUExecutionProvider"])


@cache
def whisper(folder: Path) -> tuple[Recognizer, Any]:
    root = tiny_whisper(folder, seed=3, length=8)
    return load(root), peers(root)


# -- hearing ---------------------------------------------------------------------------------------------------------


@given(
    st.lists(st.tuples(st.integers(100, 20_000), st.sampled_from([None, "en", "de-AT"])), min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)
@settings(max_examples=6, deadline=None, derandomize=True)
def test_whisper_hears_what_it_hears_alone(
    tmp_path_factory: pytest.TempPathFactory, drawn: list[tuple[int, str | None]], random: Any
) -> None:
    model, peer = whisper(tmp_path_factory.getbasetemp() / "whisper")
    random.shuffle(drawn)
    clips = noise(0, *(length for length, _ in drawn))
    heard = hear(model, clips, *(language for _, language in drawn))
    for each, clip, (_, language) in zip(heard, clips, drawn, strict=True):
        padded = np.pad(clip, (0, max(0, 1600 - len(clip))))
        told = {"language": language[:2]} if language else {}
        assert each.text == peer.recognize(padded, **told).strip()
        assert each.words == ()


def test_whisper_hears_what_is_quiet_beside_what_is_loud(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A batch of onnx-asr's has one floor for all its clips, under which the quiet ones would lie."""
    model, _ = whisper(tmp_path_factory.getbasetemp() / "whisper")
    loud, quiet = noise(4, 16_000, 16_000)
    quiet *= np.float32(1e-4)
    assert hear(model, [loud, quiet])[1] == hear(model, [quiet])[0]


def test_what_is_known_of_whisper(tmp_path_factory: pytest.TempPathFactory) -> None:
    info = whisper(tmp_path_factory.getbasetemp() / "whisper")[0].info
    assert (info.backend, info.architecture, info.kind) == ("onnx_asr", "whisper-hf", "recognizer")
    assert (info.sample_rate, info.max_seconds, info.languages) == (16_000, 30.0, ("de", "en"))
    assert info.batch == 1
    assert info.weight_bytes > 10_000
    assert info.placement is not None
    assert info.placement.devices == ("cpu",)
    assert info.placement.layers > 5


@pytest.mark.parametrize(
    ("clip", "error"),
    [
        (Clip(np.zeros(31 * 16_000, np.float32)), "hears 30 s"),
        (Clip(np.zeros(100, np.float32), "fr"), "does not hear 'fr'"),
        (Clip(np.zeros(0, np.float32)), "empty"),
    ],
)
def test_what_whisper_cannot_hear_is_refused(clip: Clip, error: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    model = whisper(tmp_path_factory.getbasetemp() / "whisper")[0]
    with pytest.raises(UnsupportedInput, match=error):
        model.prepare(clip)


@pytest.mark.parametrize("durations", [5, 0])
def test_other_models_have_words_and_times(durations: int, tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path, seed=2, durations=durations)
    clips = noise(1, 30_000, 9000, 1, 29_000)
    model = load(root)
    assert model.info.architecture == f"nemo-conformer-{'tdt' if durations else 'rnnt'}"
    assert model.info.frame == 1280
    backend = Onnx()
    names = backend.select([each.name for each in root.iterdir()], None)
    source = Source("ours", tuple(root / name for name in names), root=root)
    ours = backend.load(source, LoadOptions(device="cpu", threads=1))
    assert isinstance(ours, Recognizer)
    theirs = hear(model, clips)
    for each, other, clip in list(zip(theirs, hear(ours, clips), clips, strict=True)):
        if len(clip) < 1600:  # shorter ones are padded further here
            continue
        assert each.text == other.text
        np.testing.assert_allclose([word.start for word in each.words], [word.start for word in other.words])
        np.testing.assert_allclose(
            [word.confidence for word in each.words], [word.confidence for word in other.words], rtol=1e-2
        )
    assert any(each.words for each in theirs)


def test_it_closes(tmp_path: Path) -> None:
    load(tiny_parakeet(tmp_path)).close()


def test_what_fails_while_it_runs_is_a_backend_error(tmp_path: Path) -> None:
    model: Any = load(tiny_parakeet(tmp_path))
    model._adapter.asr._preprocessor = lambda *_: 1 / 0
    with pytest.raises(BackendError, match="division") as raised:
        hear(model, noise(0, 3000))
    assert isinstance(raised.value.__cause__, ZeroDivisionError)


# -- names -----------------------------------------------------------------------------------------------------------


def test_names_are_directories_or_what_onnx_asr_knows(tmp_path: Path) -> None:
    assert wanted("whisper-base") == Wanted("whisper-base")
    assert wanted("whisper-base:int8") == Wanted("whisper-base", None, "int8")
    assert wanted("onnx-community/whisper-small:q4") == Wanted("onnx-community/whisper-small", None, "q4")
    assert wanted(str(tmp_path)) == Wanted(None, tmp_path)
    assert wanted(f"{tmp_path}:int8") == Wanted(None, tmp_path, "int8")
    (tmp_path / "whisper-base_beamsearch.onnx").touch()
    assert wanted(str(tmp_path)) == Wanted("whisper-ort", tmp_path)


@pytest.mark.parametrize("name", ["/no/such/directory", "./no", "~nobody/x", "a/b/c", "C:\\no", ":int8", ""])
def test_a_directory_that_is_not_there_is_not_found(name: str) -> None:
    with pytest.raises(ModelNotFound, match="There is no directory"):
        load(name)


def test_a_name_that_onnx_asr_does_not_know_is_not_found() -> None:
    with pytest.raises(ModelNotFound, match="knows no model 'whisper-hge'"):
        load("whisper-hge")


def test_what_cannot_be_fetched_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelNotFound, match="whisper-base could not be fetched"):
        load("whisper-base")


def test_a_quantisation_is_taken_and_another_is_not_found(tmp_path: Path) -> None:
    root = tiny_parakeet(tmp_path)
    for name in ("encoder-model", "decoder_joint-model"):
        (root / f"{name}.onnx").rename(root / f"{name}.int8.onnx")
    assert load(f"{root}:int8").info.weight_bytes > 1000
    with pytest.raises(ModelNotFound, match="is incomplete"):
        load(root)


# -- what cannot be loaded -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("config.json", None, ModelNotFound),
        ("config.json", b"{", UnsupportedModel),
        ("config.json", b"{}", UnsupportedModel),
        ("config.json", json.dumps({"model_type": "bert"}).encode(), UnsupportedModel),
        ("vocab.txt", None, ModelNotFound),
        ("vocab.txt", b"\xff", UnsupportedModel),
        ("encoder-model.onnx", None, ModelNotFound),
        ("encoder-model.onnx", b"PK\x03\x04", UnsupportedModel),
    ],
)
def test_a_directory_that_is_not_whole_is_an_error_of_ours(
    name: str, content: bytes | None, error: type[Exception], tmp_path: Path
) -> None:
    root = tiny_parakeet(tmp_path)
    (root / name).unlink()
    if content is not None:
        (root / name).write_bytes(content)
    with pytest.raises(error) as raised:
        load(root)
    assert raised.value.__cause__ is not None


@pytest.mark.skipif("CUDAExecutionProvider" in onnxruntime.get_available_providers(), reason="CUDA is there")
def test_a_device_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DeviceUnavailable, match="onnxruntime-gpu"):
        load(tiny_parakeet(tmp_path), device="cuda")


def test_without_the_package_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx_asr", None)
    for ask in (OnnxAsr().devices, lambda: load("whisper-base")):
        with pytest.raises(BackendNotFound, match=r'pip install "sauropod\[whisper\]"'):
            ask()


def test_its_devices_are_those_of_onnxruntime() -> None:
    assert OnnxAsr().devices()[-1].name == "cpu"
    assert tuple(OnnxAsr.suffixes) == ()
