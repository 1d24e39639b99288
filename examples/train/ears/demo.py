"""Demo: the embedded demo voice as a speaker, so that the demo session hears itself well."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from sauropod._phonemizers import English

from .augment import RATE, resampled

ASSET = Path(__file__).parents[3] / "src" / "sauropod" / "assets" / "demo-voice"
VOICES = ("demo_female", "demo_male")
"""Those that are blended. demo_scottish, which speaks like flite's awb, is a speaker of its own; awb is never heard."""
VOICE_RATE = 24000


@dataclass(frozen=True)
class Demo:
    """The demo voice, `female` of it demo_female and the rest demo_male, or another voice by `voice`."""

    female: float = 1.0
    speed: float = 1.0
    voice: str | None = None

    @property
    def name(self) -> str:
        """As `demo_female`, or `demo blend`."""
        if self.voice:
            return self.voice
        return "demo blend" if 0 < self.female < 1 else VOICES[self.female == 0]

    def say(self, text: str) -> NDArray[np.float32]:
        """float32 [samples] at 16 kHz."""
        said = phonemes(text)
        vocabulary = _vocabulary()
        ids = [vocabulary[each] for each in said if each in vocabulary][:510]
        shares = {self.voice: 1.0} if self.voice else dict(zip(VOICES, (self.female, 1 - self.female), strict=True))
        style = sum(share * _style(name)[len(ids) - 1] for name, share in shares.items())
        inputs = {
            "input_ids": np.array([[0, *ids, 0]], np.int64),
            "style": np.asarray(style, np.float32),
            "speed": np.array([self.speed], np.float32),
        }
        wave = np.asarray(_graph().run(["waveform"], inputs)[0], dtype=np.float32).reshape(-1)
        return resampled(wave, VOICE_RATE / RATE)


def demo(rng: random.Random) -> Demo:
    """A voice to train on: either or a blend, fast or slow."""
    female = rng.choice((1.0, 1.0, 0.0, 0.0, rng.random()))
    return Demo(female, _speed(rng))


def scottish(rng: random.Random) -> Demo:
    """demo_scottish, fast or slow."""
    return Demo(speed=_speed(rng), voice="demo_scottish")


def _speed(rng: random.Random) -> float:
    return round(float(np.exp(rng.uniform(-0.22, 0.22))), 2)


@cache
def _english() -> English:
    return English()


def phonemes(text: str) -> str:
    """`text` in the voice's symbols."""
    return "".join(each.phonemes + " " * each.space for each in _english().phonemize(text, "en-us")).strip()


@cache
def _graph() -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(ASSET / "onnx" / "model.onnx", options, providers=["CPUExecutionProvider"])


@cache
def _vocabulary() -> Mapping[str, int]:
    document = json.loads((ASSET / "tokenizer.json").read_text("utf-8"))
    found: Mapping[str, int] = document["model"]["vocab"]
    return found


@cache
def _style(name: str) -> NDArray[np.float32]:
    return np.fromfile(ASSET / "voices" / f"{name}.bin", "<f4").reshape(-1, 1, 256)
