"""Speaking: the directory that ships, run as an application would, and flite beside it."""

from __future__ import annotations

import random
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import soundfile
import soxr
from numpy.typing import NDArray

from . import flite, phones
from .flite import Floats
from .symbols import encode

RATE = 24_000
HEARD = 16_000
"""Samples a second that the recogniser hears."""


@dataclass(frozen=True)
class Said:
    """A wave at `HEARD` and the seconds its computation took."""

    samples: Floats
    took: float

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return len(self.samples) / HEARD


class Speaker:
    """The model with one thread."""

    def __init__(self, directory: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.directory = directory
        began = time.perf_counter()
        self.session = onnxruntime.InferenceSession(
            directory / "onnx" / "model.onnx", options, providers=["CPUExecutionProvider"]
        )
        self.loading = time.perf_counter() - began

    def styles(self, voice: str) -> Floats:
        """The rows of a voice: (510, 256)."""
        return np.fromfile(self.directory / "voices" / f"{voice}.bin", "<f4").reshape(-1, 256)

    def run(self, symbols: str, style: Floats, speed: float = 1.0) -> tuple[Floats, NDArray[np.int64]]:
        """The wave at `RATE` and the frames of every id."""
        ids = np.array([encode(symbols)])
        fed = {"input_ids": ids, "style": style[None], "speed": np.array([speed], np.float32)}
        wave, duration = self.session.run(None, fed)
        return wave[0], duration

    def say(self, symbols: str, voice: str, speed: float = 1.0) -> Said:
        """What the recogniser hears of these symbols."""
        style = self.styles(voice)[max(0, len(encode(symbols)) - 3)]
        began = time.perf_counter()
        wave, _ = self.run(symbols, style, speed)
        took = time.perf_counter() - began
        return Said(soxr.resample(wave, RATE, HEARD), took)


def flite_says(text: str, voice: str) -> Said:
    """The same from flite itself: `slt`, `rms` or `awb`."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "said.wav"
        began = time.perf_counter()
        subprocess.run(["flite", "-voice", voice, "-t", text, "-o", str(path)], check=True)
        took = time.perf_counter() - began
        samples, rate = soundfile.read(path, dtype="float32")
    return Said(soxr.resample(samples, rate, HEARD), took)


def flite_symbols(program: Path, text: str, rng: random.Random) -> str:
    """The symbols of a text by way of flite's own dictionary."""
    (utterance,) = flite.spoken(program, "slt", [text])
    return "".join(token.symbol for token in phones.tokens(utterance.segments, rng))
