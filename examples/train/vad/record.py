"""Record: speech in many voices, once, with its labels.

python -m examples.train.vad.record --out build/vad
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .labels import FRAME, speech_frames
from .speakers import draw, sentence, words


@dataclass(frozen=True)
class Clip:
    """Clean speech, float32 [n] of peak 1, and which of its frames are speech, bool [⌈n / 320⌉]."""

    samples: NDArray[np.float32]
    speech: NDArray[np.bool_]


def clip(samples: NDArray[np.float32]) -> Clip:
    """Cut to the speech with a little silence on both sides, and labelled. Raises `ValueError` for silence."""
    speech = speech_frames(samples)
    if not speech.any():
        raise ValueError("There is no speech in it.")
    first, last = np.flatnonzero(speech)[[0, -1]]
    first, last = max(0, int(first) - 2), int(last) + 3
    cut = samples[first * FRAME : last * FRAME]
    cut = np.pad(cut, (0, -len(cut) % FRAME))
    return Clip(cut / np.abs(cut).max(), speech_frames(cut))


def record(count: int, seed: int, *, unseen: bool = False) -> list[Clip]:
    """Clips in `count` voices. A voice that says nothing of the text is passed over."""
    drawn, vocabulary, clips = random.Random(seed), words(), list[Clip]()
    while len(clips) < count:
        speaker, text = draw(drawn, unseen=unseen), sentence(drawn, vocabulary)
        try:
            clips.append(clip(speaker.read(text)))
        except ValueError:
            continue
    return clips


def save(clips: Sequence[Clip], path: Path) -> None:
    """As 16-bit samples, one after the other."""
    samples = np.concatenate([np.round(each.samples * 32767).astype(np.int16) for each in clips])
    np.savez(path, samples=samples, lengths=[len(each.samples) for each in clips])


def load(path: Path) -> list[Clip]:
    """What `save` wrote."""
    with np.load(path) as file:
        parts = np.split(file["samples"].astype(np.float32) / 32767, np.cumsum(file["lengths"])[:-1])
    return [Clip(part, speech_frames(part)) for part in parts]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/vad"))
    parser.add_argument("--count", type=int, default=900)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    for name, count, seed in (("trained", given.count, 1), ("unseen", given.count // 6, 2)):
        clips = record(count, seed, unseen=name == "unseen")
        save(clips, given.out / f"{name}.npz")
        print(f"{name}: {len(clips)} clips, {sum(len(each.samples) for each in clips) / 16000 / 60:.1f} minutes")


if __name__ == "__main__":
    main()
