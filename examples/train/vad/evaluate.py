"""Evaluate a voice detector: frames, noise, beginnings and ends. Any detector that sauropod loads can be measured.

python -m examples.train.vad.evaluate src/sauropod/assets/demo-vad --json build/vad/report.json
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sauropod._speech.endpointer import Endpointer, EndpointSettings, SpeechStarted
from sauropod._values.loading import LoadOptions, Source
from sauropod.abc import Heard, VoiceDetector
from sauropod.backends.onnx import Onnx

from . import record
from .labels import FRAME, without_gaps
from .mixing import babble, reverberant
from .noises import KINDS, RATE, Samples
from .record import Clip

RATIOS = (20, 10, 5)
"""Signal to noise, in decibels."""


@dataclass(frozen=True)
class Frames:
    """How many frames are told right. `f1` is that of speech."""

    accuracy: float
    f1: float
    missed: float
    """The share of speech that is told as none."""
    false: float
    """The share of silence that is told as speech."""


@dataclass(frozen=True)
class Edges:
    """How far beginnings and ends are off, in milliseconds: the median, and what 95 of 100 stay below."""

    found: float
    """The share of utterances with a beginning and an end within 200 ms."""
    onset: float
    onset_95: float
    offset: float
    offset_95: float


def opened(folder: Path) -> VoiceDetector:
    """The detector in `folder`."""
    backend = Onnx()
    there = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    chosen = [folder / path for path in backend.select(there, None)]
    model = backend.load(Source(folder.name, chosen, root=folder), LoadOptions(device="cpu", threads=1))
    assert isinstance(model, VoiceDetector)
    return model


def probabilities(model: VoiceDetector, samples: Samples) -> NDArray[np.float32]:
    """One for each 20 ms, whatever the model's own frames are."""
    told = model.detect([model.prepare(Heard(samples, None, True))])[0].probabilities
    middles = (np.arange(-(-len(samples) // FRAME)) * FRAME + FRAME // 2) // model.info.frame
    return told[np.minimum(middles, len(told) - 1)]


def counted(told: NDArray[np.float32], speech: NDArray[np.bool_], threshold: float = 0.5) -> Frames:
    """Right and wrong frames. Those next to a change of label do not count: there a label is a matter of taste."""
    changes = np.flatnonzero(speech[1:] != speech[:-1])
    sure = np.ones(len(speech), np.bool_)
    sure[np.concatenate([changes, changes + 1])] = False
    heard, speech = told[sure] >= threshold, speech[sure]
    hits, wrong, missed = (heard & speech).sum(), (heard & ~speech).sum(), (~heard & speech).sum()
    return Frames(
        accuracy=round(float((heard == speech).mean()), 4),
        f1=round(float(2 * hits / max(1, 2 * hits + wrong + missed)), 4),
        missed=round(float(missed / max(1, speech.sum())), 4),
        false=round(float(wrong / max(1, (~speech).sum())), 4),
    )


def edges(told: NDArray[np.float32], speech: NDArray[np.bool_]) -> Edges:
    """Of each labelled utterance, the nearest beginning and end that were told."""
    mine, theirs = (_changes(values) for values in (speech, told >= 0.5))
    errors = []
    for own, found in zip(mine, theirs, strict=True):
        nearest = [min((abs(int(at) - int(each)) for each in found), default=9999) * 20 for at in own]
        errors.append(np.array(nearest, np.float64))
    good = (errors[0] <= 200) & (errors[1] <= 200)
    onset, offset = errors
    figures = [float(value) for each in (onset, offset) for value in (np.median(each), np.percentile(each, 95))]
    return Edges(round(float(good.mean()), 4), *figures)


def alarms(told: NDArray[np.float32]) -> int:
    """Utterances that an endpointer with its own settings begins."""
    return sum(isinstance(event, SpeechStarted) for event in Endpointer(EndpointSettings(), FRAME, RATE).feed(told))


def spoken(clips: Sequence[Clip], seed: int) -> tuple[Samples, NDArray[np.bool_]]:
    """The clips one after the other, with silences of 0.7 to 1.5 s."""
    random = np.random.default_rng(seed)
    samples, speech = [], []
    for clip in clips:
        pause = int(random.integers(35, 75))
        samples += [np.zeros(pause * FRAME, np.float32), clip.samples]
        speech += [np.zeros(pause, np.bool_), clip.speech]
    return np.concatenate(samples), np.concatenate(speech)


def voices(model: VoiceDetector, clips: Sequence[Clip]) -> Mapping[str, object]:
    """Speech that was not trained: clean, quiet, in rooms, among noise."""
    clean, speech = spoken(clips, 1)
    random, rows = np.random.default_rng(2), dict[str, object]()
    for decibels in (0, -20, -40):
        told = probabilities(model, (clean * 10 ** (decibels / 20)).astype(np.float32))
        rows[f"clean, {decibels} dB"] = asdict(counted(told, speech)) | asdict(edges(told, speech))
    rooms = np.concatenate([reverberant(random, part) for part in np.array_split(clean, len(clips))])
    told = probabilities(model, rooms / np.abs(rooms).max())
    rows["reverberant"] = asdict(counted(told, speech)) | asdict(edges(told, speech))
    loud = np.sqrt(np.mean(clean[np.repeat(speech, FRAME)] ** 2))
    for ratio in RATIOS:
        noise = np.concatenate([draw(random, 10 * RATE) for draw in KINDS.values()])
        mixed = clean + np.resize(noise, len(clean)) * np.float32(loud * 10 ** (-ratio / 20))
        told = probabilities(model, (0.3 * mixed / np.abs(mixed).max()).astype(np.float32))
        rows[f"noise, {ratio} dB below"] = asdict(counted(told, speech)) | asdict(edges(told, speech))
    return rows


def silences(model: VoiceDetector, clips: Sequence[Clip], minutes: float) -> Mapping[str, Mapping[str, float]]:
    """False alarms per hour for each kind of noise, and the share of frames that are told as speech."""
    random, rows = np.random.default_rng(4), dict[str, Mapping[str, float]]()
    count = 15 * RATE
    for kind in (*KINDS, "babble", "silence"):
        begun, frames, rounds = 0, [], max(1, round(minutes * 60 / 15))
        for _ in range(rounds):
            told = probabilities(model, _noise(random, kind, clips, count))
            begun += alarms(told)
            frames.append(float((told >= 0.5).mean()))
        hours = rounds * 15 / 3600
        rows[kind] = {"alarms_per_hour": round(begun / hours, 1), "frames": round(float(np.mean(frames)), 4)}
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--clips", type=Path, default=Path("build/vad"))
    parser.add_argument("--minutes", type=float, default=5.0, help="of each kind of noise")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    model = opened(given.model)
    report: dict[str, object] = {}
    for path in sorted(given.clips.glob("*.npz")):
        if path.stem != "trained":
            report[path.stem] = voices(model, record.load(path))
    report["noise alone"] = silences(model, record.load(given.clips / "unseen.npz"), given.minutes)
    for title, rows in report.items():
        print(title)
        for name, figures in rows.items():  # type: ignore[attr-defined]
            print(f"  {name:22}", "  ".join(f"{key} {value:g}" for key, value in figures.items()))
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n", "utf-8")


def _noise(random: np.random.Generator, kind: str, clips: Sequence[Clip], count: int) -> Samples:
    """At any loudness from -40 dB up; silence has that of a quiet microphone."""
    if kind == "silence":
        return (1e-4 * random.standard_normal(count)).astype(np.float32)
    noise = babble(random, clips, count) if kind == "babble" else KINDS[kind](random, count)
    loud = 10 ** (random.uniform(-40, 0) / 20) / np.abs(noise).max()
    return noise * np.float32(loud)


def _changes(values: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where runs begin and end; runs of less than 60 ms, and silences as short, do not count."""
    smooth = without_gaps(values, 6)
    steps = np.diff(np.concatenate([[False], smooth, [False]]).astype(np.int8))
    begins, ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1)
    long = ends - begins >= 3
    return begins[long], ends[long]


if __name__ == "__main__":
    main()
