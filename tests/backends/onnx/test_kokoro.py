"""Kokoro says a phrase as a bare run of its graph does, and what it cannot say it refuses."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod.abc import LoadOptions, Phrase, Pronounced, Source, Spoken, Synthesizer
from sauropod.errors import BackendError, BackendNotFound, ModelNotFound, UnsupportedInput, UnsupportedModel

pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.families import load_family, select_files  # noqa: E402
from sauropod.backends.onnx.kokoro import FAMILY, Kokoro  # noqa: E402
from sauropod.backends.onnx.kokoro_symbols import BUILT_IN, read_symbols  # noqa: E402
from sauropod.testing.models.speech.kokoro import KokoroOptions, tiny_kokoro, tiny_voice  # noqa: E402

RATE = 24_000
HEART = {"af_heart": 1.0}
HUB = ["onnx/model.onnx", "onnx/model_fp16.onnx", "onnx/model_q8f16.onnx", "voices/af_heart.bin", "voices/am_adam.bin"]
HUB += ["tokenizer.json", "tokenizer_config.json", "config.json", "README.md"]


def files_of(root: Path) -> dict[str, Path]:
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}


def opened(root: Path, **options: Any) -> Kokoro:
    files = files_of(root)
    chosen = select_files(files, None)
    model = load_family(Source("tiny", [files[path] for path in chosen], root=root), LoadOptions(**options))
    assert isinstance(model, Kokoro)
    return model


def said(model: Kokoro, text: str, voice: dict[str, float] | None = None, **options: Any) -> Spoken:
    return model.synthesize([model.prepare(Phrase(text, voice or HEART, **options))])[0]


def bare(root: Path, numbers: list[int], style: NDArray[np.float32], speed: float = 1.0) -> NDArray[np.float32]:
    """onnxruntime alone."""
    session = onnxruntime.InferenceSession(root / "onnx" / "model.onnx")
    given = {"input_ids": np.array([[0, *numbers, 0]]), "style": style, "speed": np.array([speed], np.float32)}
    samples: NDArray[np.float32] = session.run(["waveform"], given)[0]
    return samples


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_kokoro(tmp_path_factory.mktemp("kokoro"))


@pytest.fixture(scope="module")
def model(root: Path) -> Kokoro:
    return opened(root)


def test_it_tells_what_it_is(model: Kokoro) -> None:
    info = model.info
    assert isinstance(model, Synthesizer)
    assert (info.kind, info.architecture, info.sample_rate) == ("synthesizer", "kokoro", RATE)
    assert (info.voices, info.languages) == (("af_heart", "am_adam", "bf_emma"), ("en-gb", "en-us"))


@pytest.mark.parametrize("voice", [HEART, {"af_heart": 0.7, "bf_emma": 0.3}])
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_a_phrase_is_the_graphs_own_samples_with_the_voices_row_for_its_length(
    voice: dict[str, float], speed: float, root: Path, model: Kokoro
) -> None:
    phonemes = "həlˈO"
    prepared = model.prepared([Pronounced(0, 5, phonemes), Pronounced(5, 6, "!")], voice, speed)
    table = json.loads((root / "tokenizer.json").read_text())["model"]["vocab"]
    numbers = [table[symbol] for symbol in f"{phonemes}!"]
    places = {"af_heart": 0, "bf_emma": 2}
    style = sum(share * tiny_voice(places[name])[len(numbers) - 1] for name, share in voice.items())
    expected = bare(root, numbers, np.asarray(style, np.float32), speed)
    spoken = model.synthesize([prepared])[0].samples
    loud = np.flatnonzero(expected)
    lead = round(0.02 * RATE)
    inside = slice(loud[0] + 120, loud[-1] - 120)
    shift = loud[0] - lead
    np.testing.assert_allclose(spoken[inside.start - shift : inside.stop - shift], expected[inside], atol=1e-5)


def test_every_word_is_marked_and_sounds_where_its_mark_is(model: Kokoro) -> None:
    text = "Hello there, Dr. Smith! It costs $3.50 (really)."
    spoken = said(model, text)
    words = ["Hello", "there,", "Dr.", "Smith!", "It", "costs", "$3.50", "(really)."]
    assert [text[mark.start : mark.end] for mark in spoken.marks] == words
    assert all(np.abs(spoken.samples[mark.first : mark.last]).max() > 0.4 for mark in spoken.marks)
    assert spoken.samples.dtype == np.float32


def test_accents_are_those_of_the_voices_unless_a_language_is_asked_for(model: Kokoro) -> None:
    def phonemes(voice: str, language: str | None = None) -> list[list[int]]:
        prepared = model.prepare(Phrase("bath", {voice: 1.0}, language=language))
        return [row.symbols.tolist() for row in prepared.rows]

    assert phonemes("af_heart") == phonemes("am_adam") != phonemes("bf_emma")
    assert phonemes("af_heart", "en-gb") == phonemes("bf_emma")


@pytest.mark.parametrize("text", ["", " ", "...", "🦕", "\n—\n", "!?"])
def test_where_there_is_nothing_to_say_nothing_is_said(text: str, model: Kokoro) -> None:
    spoken = said(model, text)
    assert len(spoken.samples) == 0
    assert spoken.marks == ()


def test_a_long_text_is_said_in_parts_without_a_click(model: Kokoro) -> None:
    text = "The quick brown fox jumps over the lazy dog, and then it runs back again. " * 20
    prepared = model.prepare(Phrase(text, HEART))
    assert len(prepared.rows) > 3
    assert all(row.symbols.size <= 512 for row in prepared.rows)
    spoken = model.synthesize([prepared])[0]
    assert [text[mark.start : mark.end] for mark in spoken.marks] == text.split()
    steepest = max(np.abs(np.diff(model._take(row).samples)).max() for row in prepared.rows)
    assert np.abs(np.diff(spoken.samples, prepend=0, append=0)).max() <= steepest + 0.5 * np.pi / 2 / 120


def test_items_of_a_batch_are_said_as_they_are_alone(root: Path, model: Kokoro) -> None:
    items = [model.prepare(Phrase(text, HEART)) for text in ("One.", "", "Two, and three.", "Four! " * 200)]
    alone = [model.synthesize([item])[0] for item in items]
    beside = opened(root, slots=3)
    assert beside.info.batch == 3
    for together in (model.synthesize(items), beside.synthesize(items)):
        assert all((a.samples == b.samples).all() and a.marks == b.marks for a, b in zip(together, alone, strict=True))
    beside.close()


@pytest.mark.parametrize(
    ("phrase", "told"),
    [
        (Phrase("x", {"af_hart": 1.0}), "Did you mean af_heart"),
        (Phrase("x", {}), "names no voice"),
        (Phrase("x", HEART, speed=0.4), "speed must be from 0.5 to 2"),
        (Phrase("x", HEART, speed=float("nan")), "speed must be"),
        (Phrase("x", HEART, speed="fast"), "speed must be"),  # type: ignore[arg-type]  # users do
        (Phrase("x", HEART, language="ja"), r"read 'ja' aloud.*sauropod\.phonemizers.*examples/plugins/espeak"),
        ("x", "A Phrase is spoken; got str"),
    ],
)
def test_what_cannot_be_said_is_refused_before_its_turn(phrase: Any, told: str, model: Kokoro) -> None:
    with pytest.raises(UnsupportedInput, match=told):
        model.prepare(phrase)


def test_symbols_that_the_voice_lacks_are_left_out(model: Kokoro) -> None:
    with_it = model.prepared([Pronounced(0, 3, "aあb")], HEART, 1.0)
    without = model.prepared([Pronounced(0, 3, "ab")], HEART, 1.0)
    assert (with_it.rows[0].symbols == without.rows[0].symbols).all()


def test_the_demo_voice_says_every_word_within_its_mark() -> None:
    root = Path(str(files("sauropod"))) / "assets" / "demo-voice"
    model = opened(root)
    text = "Good morning, Mrs. Jones. The cats sat on the mats!"
    for voice in model.info.voices:
        spoken = said(model, text, {voice: 1.0})
        assert [text[mark.start : mark.end] for mark in spoken.marks] == text.split()
        assert 2 < len(spoken.samples) / RATE < 6
        assert all(np.abs(spoken.samples[mark.first : mark.last]).max() > 0.02 for mark in spoken.marks)
        assert not spoken.samples[spoken.marks[-1].last + round(0.04 * RATE) :].any()


# -- the other exports -------------------------------------------------------------------------------------------------


def test_an_export_without_durations_marks_the_whole_phrase(tmp_path: Path) -> None:
    model = opened(tiny_kokoro(tmp_path, KokoroOptions(duration=False)))
    spoken = said(model, "Hello there, you.")
    assert [(mark.start, mark.end) for mark in spoken.marks] == [(0, 17)]
    assert np.flatnonzero(spoken.samples)[0] / RATE < 0.03


def test_kokoro_onnxs_layout_is_read_with_the_built_in_symbols(tmp_path: Path) -> None:
    options = KokoroOptions(layout="archive", tokens="tokens", waveform="audio", duration=False)
    root = tiny_kokoro(tmp_path, options, voices=("af_heart", "am_adam", "jf_alpha"))
    model = opened(root)
    assert model.info.languages == ("en-us", "ja")
    prepared = model.prepared([Pronounced(0, 1, "ʧ")], {"am_adam": 1.0}, 1.0)
    assert prepared.rows[0].symbols.tolist() == [[0, 133, 0]]
    np.testing.assert_array_equal(prepared.rows[0].style, tiny_voice(1)[0])
    assert len(said(model, "Hello.").samples) > 0


def test_symbols_are_read_from_the_graph_itself_where_no_file_has_them(tmp_path: Path) -> None:
    assert read_symbols([], {"kokoro_config": '{"vocab": {"$": 0, "a": 7}}'}).numbers == {"a": 7}
    assert read_symbols([], {}).numbers == BUILT_IN
    (tmp_path / "config.json").write_text('{"vocab": [1]}')
    with pytest.raises(UnsupportedModel, match=r"config\.json has a vocab that is no mapping"):
        read_symbols([tmp_path / "config.json"], {})


def test_whole_speeds_are_not_rounded_to(tmp_path: Path) -> None:
    model = opened(tiny_kokoro(tmp_path, KokoroOptions(speed=np.int32)))
    assert len(said(model, "Hello.", speed=2.0).samples) < len(said(model, "Hello.").samples)
    with pytest.raises(UnsupportedInput, match="whole speeds only"):
        model.prepare(Phrase("x", HEART, speed=1.5))


def test_samples_that_are_no_numbers_are_found_when_the_model_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedModel, match="Take another quantisation") as raised:
        opened(tiny_kokoro(tmp_path, KokoroOptions(broken=True)))
    assert isinstance(raised.value.__cause__, BackendError)


@pytest.mark.parametrize("content", [b"", b"x" * 1000, b"PK\x03\x04" + b"x" * 1020])
def test_a_damaged_voice_is_refused(content: bytes, tmp_path: Path) -> None:
    root = tiny_kokoro(tmp_path)
    (root / "voices" / "am_adam.bin").write_bytes(content[:-1] if len(content) == 1024 else content)
    with pytest.raises(UnsupportedModel, match=r"am_adam\.bin is no voice"):
        opened(root)


def test_a_damaged_archive_is_refused(tmp_path: Path) -> None:
    root = tiny_kokoro(tmp_path, KokoroOptions(layout="archive"))
    path = root / "voices-v1.0.bin"
    content = bytearray(path.read_bytes())
    content[2000:3000] = bytes(1000)
    path.write_bytes(content)
    with pytest.raises(UnsupportedModel, match="damaged"):
        opened(root)


def test_a_named_phonemizer_must_be_installed(root: Path) -> None:
    with pytest.raises(BackendNotFound, match="no phonemizer 'nobody'"):
        opened(root, extra={"phonemizer": "nobody"})


# -- which files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "quantization", "graph"),
    [
        (HUB, None, "onnx/model.onnx"),
        (HUB, "fp16", "onnx/model_fp16.onnx"),
        (HUB, "q8f16", "onnx/model_q8f16.onnx"),
        (["model.onnx", "model.onnx.data", "voices/x.bin"], None, "model.onnx"),
        (["kokoro-v1.0.onnx", "kokoro-v1.0.int8.onnx", "voices-v1.0.bin"], "int8", "kokoro-v1.0.int8.onnx"),
        (["kokoro-v1.0.fp16.onnx", "voices-v1.0.bin"], None, "kokoro-v1.0.fp16.onnx"),
        (["tts/kokoro-v1.0.onnx", "tts/voices-v1.0.bin", "other.onnx"], None, "tts/kokoro-v1.0.onnx"),
    ],
)
def test_a_repositorys_files_are_chosen(files: list[str], quantization: str | None, graph: str) -> None:
    chosen = FAMILY.select(files, quantization)
    assert chosen is not None
    assert chosen[0] == graph
    assert [path for path in chosen if path.endswith(".onnx")] == [graph]
    assert {path for path in files if "voices" in path or "data" in path} <= set(chosen)
    assert FAMILY.select(chosen, None) == chosen


def test_the_archive_of_the_same_version_is_taken() -> None:
    files = ["kokoro-v1.1-zh.onnx", "voices-v1.0.bin", "voices-v1.1-zh.bin"]
    assert FAMILY.select(files, None) == ["kokoro-v1.1-zh.onnx", "voices-v1.1-zh.bin"]


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(ModelNotFound, match=r"no q4 of onnx/model\.onnx; there are: fp32, fp16, q8f16"):
        FAMILY.select(HUB, "q4")


@pytest.mark.parametrize("files", [[], ["onnx/model.onnx"], ["voices/a.bin"], ["voices.bin", "whisper.onnx"]])
def test_other_models_are_left_to_others(files: list[str]) -> None:
    assert FAMILY.select(files, None) is None
