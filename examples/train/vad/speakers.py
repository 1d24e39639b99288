"""Speech to learn from: random words, read by flite and espeak-ng in many voices and languages.

Both programs are asked for a file and do nothing else. Their silence is nearly digital, which is what makes it possible
to read the labels off their loudness (`labels.py`).
"""

from __future__ import annotations

import random
import subprocess
import tempfile
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 16000
WORDS = Path(__file__).parent.parent / "text" / "data" / "vocabulary.txt"


def _listed(names: str) -> tuple[str, ...]:
    return tuple(names.split())


LANGUAGES = _listed(
    "en-us en-gb en-gb-x-rp en-gb-scotland de fr-fr es it pt-br nl pl ru cs tr sv fi hu el ro hi ar cmn ja ko vi id sw"
)
VARIANTS = _listed(
    "m1 m2 m3 m4 m6 m7 m8 f1 f2 f3 f5 klatt klatt2 klatt4 croak whisper aunty edward2 Alex adam linda steph2 "
    "grandma Gene2 michael Annie"
)
FLITE = ("kal16", "rms", "slt")

UNSEEN_LANGUAGES = _listed("en-us-nyc es-419 da uk bg")
UNSEEN_VARIANTS = _listed("f4 m5 grandpa belinda quincy klatt5 whisperf Andrea")
UNSEEN_FLITE = ("awb",)


@dataclass(frozen=True)
class Speaker:
    """A program and how it is asked for a voice. `pitch` and `pace` are espeak-ng's, both 0 for flite."""

    program: str
    voice: str
    pitch: int = 0
    pace: int = 0

    def read(self, text: str) -> NDArray[np.float32]:
        """`text` read aloud: float32 [n] at 16 kHz, at most 1."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "speech.wav"
            subprocess.run(self._command(text, path), check=True, capture_output=True, timeout=60)
            return loaded(path)

    def _command(self, text: str, path: Path) -> list[str]:
        if self.program == "flite":
            return ["flite", "-voice", self.voice, "-t", text, "-o", str(path)]
        return ["espeak-ng", "-v", self.voice, "-p", str(self.pitch), "-s", str(self.pace), "-w", str(path), text]


def draw(random: random.Random, *, unseen: bool = False) -> Speaker:
    """A voice: a fifth are flite's."""
    if random.random() < 0.2:
        return Speaker("flite", random.choice(UNSEEN_FLITE if unseen else FLITE))
    language = random.choice(UNSEEN_LANGUAGES if unseen else LANGUAGES)
    if random.random() < 0.4:
        language = random.choice(("en-us", "en-gb"))
    variant = random.choice(UNSEEN_VARIANTS if unseen else VARIANTS)
    return Speaker("espeak-ng", f"{language}+{variant}", random.randint(20, 80), random.randint(110, 260))


def sentence(random: random.Random, words: Sequence[str]) -> str:
    """Two to eleven words; commas make pauses."""
    chosen = [random.choice(words) for _ in range(random.randint(2, 11))]
    return " ".join(word + ("," if random.random() < 0.08 else "") for word in chosen) + random.choice("..?")


def words() -> list[str]:
    """The vocabulary of the demo language model."""
    return WORDS.read_text("utf-8").split()


def loaded(path: Path) -> NDArray[np.float32]:
    """A wave file of 16-bit samples, resampled to 16 kHz."""
    with wave.open(str(path)) as file:
        rate = file.getframerate()
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / np.float32(32768)
    return resampled(samples, rate)


def resampled(samples: NDArray[np.float32], rate: int) -> NDArray[np.float32]:
    """By way of the spectrum: band-limited, and good enough for a whole clip."""
    if rate == RATE:
        return samples
    count = round(len(samples) * RATE / rate)
    spectrum = np.fft.rfft(samples)
    bins = min(len(spectrum), count // 2 + 1)
    wider = np.zeros(count // 2 + 1, spectrum.dtype)
    wider[:bins] = spectrum[:bins]
    return (np.fft.irfft(wider, count) * (count / len(samples))).astype(np.float32)
