"""Every model that hears or speaks keeps its contract: those that come with sauropod, and small ones of each family."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import sauropod
from sauropod.abc import Backend, LoadOptions, Source, SpeechModel
from sauropod.backends.onnx import Onnx
from sauropod.backends.onnx_asr import OnnxAsr
from sauropod.testing import (
    check_audio_codec,
    check_recognizer,
    check_synthesizer,
    check_turn_detector,
    check_voice_detector,
)

pytest.importorskip("onnx", reason="onnx is not installed")
pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.testing.models.speech import (
    KokoroOptions,
    tiny_kokoro,
    tiny_marblenet,
    tiny_parakeet,
    tiny_silero,
    tiny_smart_turn,
    tiny_snac,
    tiny_whisper,
)

ASSETS = Path(sauropod.__file__).parent / "assets"


def loading(root: Path, **options: Any) -> Callable[[], Any]:
    """What loads the model in a directory, as a worker does."""
    backend: Backend = Onnx()
    files = backend.select([each.relative_to(root).as_posix() for each in root.rglob("*") if each.is_file()], None)
    assert files is not None
    source = Source(root.name, [root / each for each in files], root=root)

    def load() -> SpeechModel:
        model = backend.load(source, LoadOptions(device="cpu", threads=1, **options))
        assert isinstance(model, SpeechModel)
        return model

    return load


# -- the demo's --------------------------------------------------------------------------------------------------------

CHECKS: dict[str, Callable[[Callable[[], Any]], None]] = {
    "recognizer": partial(check_recognizer, exact=False),
    "synthesizer": check_synthesizer,
    "voice_detector": check_voice_detector,
    "turn_detector": check_turn_detector,
    "audio_codec": partial(check_audio_codec, exact=False),
}


def test_there_are_demo_models() -> None:
    assert len(list(ASSETS.glob("demo-*/"))) >= 2


@pytest.mark.parametrize("root", sorted(ASSETS.glob("demo-*/")), ids=lambda root: root.name)
def test_a_demo_model_keeps_its_contract(root: Path) -> None:
    load = loading(root)
    model = load()
    model.close()
    CHECKS[model.info.kind](load)


def test_a_voice_that_says_several_phrases_at_once_keeps_its_contract(tmp_path: Path) -> None:
    check_synthesizer(loading(tiny_kokoro(tmp_path), slots=3))


# -- small ones --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["joint", "index"])
def test_parakeet_keeps_its_contract(layout: Any, tmp_path: Path) -> None:
    check_recognizer(loading(tiny_parakeet(tmp_path, layout=layout)), exact=False)


def test_whisper_keeps_its_contract(tmp_path: Path) -> None:
    pytest.importorskip("onnx_asr", reason="onnx-asr is not installed")
    source = Source(str(tiny_whisper(tmp_path)))
    check_recognizer(lambda: OnnxAsr().load(source, LoadOptions(device="cpu", threads=1)), exact=False)


def test_kokoro_without_times_keeps_its_contract(tmp_path: Path) -> None:
    check_synthesizer(loading(tiny_kokoro(tmp_path, KokoroOptions(duration=False, layout="archive"))))


def test_marblenet_without_a_preprocessor_keeps_its_contract(tmp_path: Path) -> None:
    check_voice_detector(loading(tiny_marblenet(tmp_path, layout="logits")))


def test_silero_keeps_its_contract(tmp_path: Path) -> None:
    tiny_silero(tmp_path / "silero_vad.onnx")
    check_voice_detector(loading(tmp_path))


def test_smart_turn_keeps_its_contract(tmp_path: Path) -> None:
    tiny_smart_turn(tmp_path / "smart-turn-v3.2-cpu.onnx")
    check_turn_detector(loading(tmp_path))


@pytest.mark.parametrize("batch", ["batch", 1], ids=["batched", "single"])
def test_snac_keeps_its_contract(batch: Any, tmp_path: Path) -> None:
    check_audio_codec(loading(tiny_snac(tmp_path, batch=batch)), exact=False)
