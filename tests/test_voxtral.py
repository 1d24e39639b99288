"""Voxtral: a language model that hears and is asked to write down what is said.

The real one has three billion weights. This one has random weights in the same layout, so what it hears is nonsense,
but it depends on the audio, and how it is asked can be held to the model card.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

import sauropod
from sauropod import AudioFrame, Message, Transcriber, _attaching
from sauropod.testing import models

pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")

pytestmark = pytest.mark.anyio

RATE = 16_000


@pytest.fixture(scope="module")
def voxtral(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voxtral")
    models.tiny_llama(folder / "model.gguf", context_length=2048, tokenizer="voxtral")
    models.tiny_projector(folder / "mmproj-model.gguf")
    return folder


def sound(seconds: float = 1.0, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(0, 0.1, round(RATE * seconds)).astype(np.float32)


async def test_it_transcribes_as_the_model_card_asks(voxtral: Path) -> None:
    async with Transcriber(f"voxtral:{voxtral}", vad=None, device="cpu", threads=1) as transcriber:
        info = transcriber.info
        assert (info.architecture, info.sample_rate, info.experimental) == ("voxtral", RATE, True)
        german = await transcriber.transcribe((sound(), RATE), language="de-AT")
        again = await transcriber.transcribe((sound(), RATE), language="de")
        english = await transcriber.transcribe((sound(), RATE), language="en")
        other = await transcriber.transcribe((sound(seed=1), RATE), language="de")
    assert german.text == again.text
    assert german.text
    assert german.language == "de"
    assert len({german.text, english.text, other.text}) == 3
    assert german.segments[0].words == ()
    async with sauropod.Engine(voxtral, device="cpu", threads=1) as engine:
        from sauropod._handles import WorkerHandle
        from sauropod._runtime.protocol import PromptText

        handle = engine._handle
        assert isinstance(handle, WorkerHandle)
        marks = [(await engine.tokenize(mark))[0] for mark in ("[INST]", "[BEGIN_AUDIO]", "[/INST]", "[TRANSCRIBE]")]
        text = await engine.tokenize("lang:de", special=False)
        prompt = PromptText(text="[INST]\ufffc[/INST]lang:de[TRANSCRIBE]", audio=(AudioFrame(sound(), RATE),))
        assert await handle.count_tokens(prompt) == len(marks) + len(text) + 1500 // 30 // 2


async def test_long_audio_is_cut_and_heard_in_pieces(voxtral: Path) -> None:
    async with Transcriber(f"voxtral:{voxtral}", vad=None, device="cpu", threads=1) as transcriber:
        transcript = await transcriber.transcribe((sound(45), RATE))
    assert len(transcript.segments) >= 3
    assert transcript.duration == pytest.approx(45)
    assert transcript.segments[-1].end == pytest.approx(45)


async def test_a_language_it_does_not_hear_is_refused(voxtral: Path) -> None:
    async with Transcriber(f"voxtral:{voxtral}", vad=None, device="cpu", threads=1) as transcriber:
        with pytest.raises(sauropod.UnsupportedInput, match="Voxtral hears en, es, "):
            await transcriber.transcribe((sound(), RATE), language="xx")
        assert (await transcriber.transcribe((sound(), RATE))).text


def test_only_voxtral_has_a_projector() -> None:
    with pytest.raises(sauropod.UnsupportedInput, match="Only Voxtral"):
        Transcriber("demo", projector="mmproj.gguf")


async def test_what_is_no_voxtral_is_refused_and_given_back(tmp_path: Path, nothing_leaks: None) -> None:
    models.tiny_llama(tmp_path / "model.gguf", context_length=2048)
    with pytest.raises(sauropod.UnsupportedModel, match=r"no projector \(mmproj\) that hears"):
        await Transcriber(f"voxtral:{tmp_path}", vad=None, device="cpu").open()
    models.tiny_projector(tmp_path / "mmproj-model.gguf")
    with pytest.raises(sauropod.UnsupportedModel, match=r"its vocabulary has no \[TRANSCRIBE\]"):
        await Transcriber(f"voxtral:{tmp_path}", vad=None, device="cpu").open()


async def test_a_model_that_hears_is_asked_about_audio_in_files_and_bytes(
    voxtral: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soundfile = pytest.importorskip("soundfile")
    file = tmp_path / "question.wav"
    soundfile.write(file, sound(), RATE, subtype="FLOAT")
    given: list[sauropod.Message] = [
        Message.user("What is this?", audio=each)
        for each in (file, str(file), file.read_bytes(), AudioFrame(sound(), RATE))
    ]
    async with sauropod.Engine(voxtral, device="cpu", threads=1) as engine:
        answers = [await engine.complete(each, temperature=0, max_tokens=6) for each in given]
        assert len({answer.text for answer in answers}) == 1
        with pytest.raises(sauropod.UnsupportedInput, match="is not there"):
            await engine.complete(Message.user("What is this?", audio=tmp_path / "no.wav"))
        with pytest.raises(sauropod.UnsupportedInput):
            await engine.complete(Message.user("What is this?", audio=b"no audio"))
        monkeypatch.setattr(_attaching, "MOST_SECONDS", 1.0)
        with pytest.raises(sauropod.UnsupportedInput, match="1 s of audio at most"):
            await engine.complete(Message.user("What is this?", audio=[file, file]))
        assert (await engine.complete("And now?", max_tokens=3, ignore_eos=True)).usage.completion_tokens == 3
