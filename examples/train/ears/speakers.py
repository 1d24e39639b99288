"""Speaker: a voice that reads a sentence aloud, and which voices are trained on and which are kept for testing.

The voices come from two programs, used when building only: flite and espeak-ng.
"""

from __future__ import annotations

import random
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import soundfile
from numpy.typing import NDArray

from .augment import RATE, resampled
from .lexicon import aloud

Wave = NDArray[np.float32]
SECONDS = 300.0
"""A program that needs longer for a sentence is broken."""


class Speaker(Protocol):
    """Reads a sentence aloud."""

    @property
    def name(self) -> str:
        """Which voice it is."""

    def say(self, text: str) -> Wave:
        """float32 [samples] at 16 kHz, within ±1."""


@dataclass(frozen=True)
class Flite:
    """A voice of flite. `stretch` above 1 is slower."""

    voice: str
    stretch: float = 1.0

    @property
    def name(self) -> str:
        """As `flite slt`."""
        return f"flite {self.voice}"

    def say(self, text: str) -> Wave:
        """float32 [samples] at 16 kHz."""
        return _written_by(
            "flite", "-voice", self.voice, "--setf", f"duration_stretch={self.stretch}", text=aloud(text)
        )


@dataclass(frozen=True)
class Espeak:
    """A voice of espeak-ng: an accent, `+`, a variant. `pitch` is 0 to 99, `speed` words a minute."""

    voice: str
    pitch: int = 50
    speed: int = 165

    @property
    def name(self) -> str:
        """As `espeak-ng en-us+f3`."""
        return f"espeak-ng {self.voice}"

    def say(self, text: str) -> Wave:
        """float32 [samples] at 16 kHz."""
        options = ("-v", self.voice, "-p", str(self.pitch), "-s", str(self.speed))
        return _written_by("espeak-ng", *options, text=aloud(text))


def _written_by(program: str, *options: str, text: str) -> Wave:
    with tempfile.TemporaryDirectory(prefix="ears-") as directory:
        path = Path(directory) / "said.wav"
        to = ("-t", text, "-o", str(path)) if program == "flite" else ("-w", str(path), text)
        subprocess.run((program, *options, *to), check=True, capture_output=True, timeout=SECONDS)
        wave, rate = soundfile.read(path, dtype="float32")
    return resampled(wave, rate / RATE)


ACCENTS = (
    "en-us", "en-us", "en-us", "en-us", "en-gb", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan",
    "en-gb-x-gbcwmd", "en-029", "en-us-nyc",
)  # fmt: skip
"""Of espeak-ng; those named more often are drawn more often."""
VARIANTS = (
    "", "+m1", "+m2", "+m3", "+m4", "+m5", "+m6", "+m8", "+f1", "+f2", "+f3", "+f5", "+Annie", "+Andrea", "+Denis",
    "+Diogo", "+Gene", "+Hugo", "+Jacky", "+Lee", "+Mario", "+Michael", "+Nguyen", "+Storm", "+adam", "+anika",
    "+antonio", "+aunty", "+belinda", "+benjamin", "+boris", "+david", "+ed", "+edward", "+gustave", "+iven",
    "+iven3", "+john", "+klatt", "+klatt3", "+linda", "+marcelo", "+max", "+michel", "+miguel", "+mike", "+pablo",
    "+paul", "+pedro", "+quincy", "+rob", "+robert", "+sandro", "+shelby", "+steph", "+steph3", "+travis", "+victor",
)  # fmt: skip
FLITE = ("slt", "slt", "rms")
HELD_OUT: tuple[Flite | Espeak, ...] = (
    Flite("awb"),
    Flite("kal"),
    Espeak("en-us+f4", 55, 160),
    Espeak("en-us+m7", 45, 165),
    Espeak("en-gb+Alex", 50, 160),
    Espeak("en-gb+Alicia", 50, 160),
)
"""Never trained on, nor kal16, which is kal's own voice."""


def flite(rng: random.Random) -> Flite:
    """A voice to train on, fast or slow."""
    return Flite(rng.choice(FLITE), round(rng.uniform(0.8, 1.3), 2))


def espeak(rng: random.Random) -> Espeak:
    """A voice to train on, high or low, fast or slow."""
    return Espeak(rng.choice(ACCENTS) + rng.choice(VARIANTS), rng.randint(25, 80), rng.randint(120, 210))


def trained_on() -> tuple[Flite | Espeak, ...]:
    """A few of the voices that are trained on, for comparison."""
    return (Flite("slt"), Flite("rms"), Espeak("en-us"), Espeak("en-gb+f2", 55, 160))
