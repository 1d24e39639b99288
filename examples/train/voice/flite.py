"""Flite: the sentences of the corpus spoken by its clustergen voices, as segments and vocoder parameters."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .phones import FRAME, Segment

Floats = NDArray[np.float32]

SOURCE = Path(__file__).parent / "utterances.c"
LIBRARIES = ("cmu_us_slt", "cmu_us_rms", "cmu_us_awb", "usenglish", "cmulex")
BANDS = 5
"""Bands of mixed excitation."""


@dataclass(frozen=True)
class Vocoding:
    """What a voice's vocoder is set to: the warp of its frequencies, its post-filter, its gain."""

    warp: float
    sharpening: float
    gain: float


@dataclass(frozen=True)
class Utterance:
    """One line as flite says it.

    `pitch` is F0 in Hz, 0 where unvoiced: (frames). `cepstrum` is the mel-cepstrum before the post-filter:
    (frames, 25). `strengths` are the shares of pulses in five bands up to 8 kHz: (frames, 5).
    """

    segments: tuple[Segment, ...]
    pitch: Floats
    cepstrum: Floats
    strengths: Floats
    vocoding: Vocoding


def compiled(directory: Path) -> Path:
    """The program of `utterances.c`; needs a C compiler and the Debian package flite1-dev."""
    program = directory / "utterances"
    directory.mkdir(parents=True, exist_ok=True)
    libraries = [f"-lflite_{name}" for name in LIBRARIES]
    subprocess.run(["cc", "-O2", "-std=c99", str(SOURCE), "-o", str(program), *libraries, "-lflite", "-lm"], check=True)
    return program


def spoken(program: Path, voice: str, sentences: Sequence[str]) -> list[Utterance]:
    """What `voice` (slt, rms or awb) says: one utterance for every sentence."""
    path = program.with_suffix(f".{voice}")
    lines = "".join(f"{sentence}\n" for sentence in sentences)
    done = subprocess.run([program, voice, path], input=lines, text=True, capture_output=True, check=True)
    values = np.fromfile(path, "<f4")
    path.unlink()
    return list(_parsed(done.stdout.splitlines(), values))


def _parsed(lines: Iterable[str], values: Floats) -> Iterator[Utterance]:
    """Utterances, from the lines and the parameters that `utterances.c` writes."""
    heading: list[str] = []
    segments: list[Segment] = []
    for line in (*lines, "U"):
        kind, *fields = line.split("\t")
        if kind == "S":
            segments.append(_segment(fields))
            continue
        if segments:
            frames, channels, bands = (int(field) for field in heading[:3])
            rows, values = np.split(values, [frames * (channels + bands)])
            table = rows.reshape(frames, channels + bands)
            pitch, cepstrum, strengths = np.split(table, [1, channels], axis=1)
            vocoding = Vocoding(*(float(field) for field in heading[3:]))
            yield Utterance(tuple(segments), pitch[:, 0], cepstrum, strengths, vocoding)
        heading, segments = fields, []


def _segment(fields: Sequence[str]) -> Segment:
    """A segment of one line."""
    phone, end, stress, word, starts, opening, closing = fields
    return Segment(phone, round(float(end) / FRAME), stress == "1", word, starts == "1", opening, closing)
