"""The voice detector that ships: it hears speech, and does not take noise for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from examples.train.vad import labels, noises, record, speakers
from numpy.typing import NDArray

from sauropod._speech.endpointer import Endpointer, EndpointSettings, SpeechEnded
from sauropod.abc import Heard, LoadOptions, Source

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")

from sauropod.backends.onnx.marblenet import FAMILY, MarbleNet

DEMO = Path(__file__).parents[2] / "src" / "sauropod" / "assets" / "demo-vad"
RATE = 16_000

with_voices = pytest.mark.skipif(
    not (shutil.which("flite") and shutil.which("espeak-ng")), reason="flite or espeak-ng is not installed"
)


@pytest.fixture(scope="module")
def model() -> MarbleNet:
    files = {path.name: path for path in DEMO.iterdir()}
    chosen = FAMILY.select(list(files), None) or ()
    return FAMILY.load(Source("demo", [files[name] for name in chosen], root=DEMO), files, LoadOptions(threads=1))


def told(model: MarbleNet, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return model.detect([model.prepare(Heard(samples, last=True))])[0].probabilities


def utterances(probabilities: NDArray[np.float32]) -> list[tuple[float, float]]:
    settings = EndpointSettings(prefix_seconds=0, tail_seconds=0)
    endpointer = Endpointer(settings, labels.FRAME, RATE)
    events = [*endpointer.feed(probabilities), *endpointer.finish()]
    return [(event.start / RATE, event.end / RATE) for event in events if isinstance(event, SpeechEnded)]


def test_it_is_small() -> None:
    assert {path.name for path in DEMO.iterdir()} == {"marblenet.onnx", "preprocessor.onnx"}
    assert sum(path.stat().st_size for path in DEMO.iterdir()) < 400_000


@pytest.mark.parametrize("level", [0.0, 1e-4, 1e-2, 0.5])
def test_neither_silence_nor_white_noise_is_speech(model: MarbleNet, level: float) -> None:
    noise = (level * np.random.default_rng(1).standard_normal(5 * RATE)).astype(np.float32)
    assert told(model, np.clip(noise, -1, 1)).max() < 0.5


@pytest.mark.parametrize("kind", ["coloured", "hum", "rain", "engine", "knocks", "fan"])
def test_noise_starts_no_utterance(model: MarbleNet, kind: str) -> None:
    noise = noises.KINDS[kind](np.random.default_rng(1001), 5 * RATE)
    assert utterances(told(model, 0.3 * noise / np.abs(noise).max())) == []


@with_voices
@pytest.mark.parametrize(
    "speaker",
    [
        speakers.Speaker("flite", "awb"),
        speakers.Speaker("flite", "slt"),
        speakers.Speaker("espeak-ng", "da+f4", 50, 160),
        speakers.Speaker("espeak-ng", "en-us-nyc+m5", 45, 170),
    ],
    ids=lambda speaker: speaker.voice,
)
@pytest.mark.parametrize("decibels", [-3, -30])
def test_speech_is_found_where_it_is(model: MarbleNet, speaker: speakers.Speaker, decibels: int) -> None:
    voice = speaker.read("The lantern in the orchard is older than the ferry.")
    clip = record.clip(voice)  # without the voice's own silence, which in flite's hums a little
    quiet = np.zeros(RATE, np.float32)
    samples = np.concatenate([quiet, clip.samples * np.float32(10 ** (decibels / 20)), quiet])
    samples = samples + 1e-4 * np.random.default_rng(2).standard_normal(len(samples)).astype(np.float32)
    speech = 50 + np.flatnonzero(clip.speech)
    found = utterances(told(model, samples))
    assert len(found) == 1
    ((start, end),) = found
    assert start == pytest.approx(speech[0] * 0.02, abs=0.061)
    assert end == pytest.approx((speech[-1] + 1) * 0.02, abs=0.121)
