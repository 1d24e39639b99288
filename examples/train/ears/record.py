"""Record: have sentences read aloud and keep their features, a shard for every seed.

python -m examples.train.ears.record --out build/ears/clips --from 0 --to 12
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from . import clips, demo, speakers
from .augment import RATE, noise, varied
from .clips import Clip
from .features import features
from .sentences import Sentences
from .speakers import Speaker

SHARD = 500
LONGEST = 9.0
"""Seconds; longer recordings are left out."""
EMPTY = 0.012
"""This share of the clips is noise in which nobody speaks."""
DRAW = {"flite": speakers.flite, "espeak": speakers.espeak, "demo": demo.demo, "scottish": demo.scottish}


def recorded(seed: int, mix: Mapping[str, float]) -> Iterator[Clip]:
    """Clips without end: `mix` weighs the programs that read."""
    rng = random.Random(seed)
    numbers = np.random.default_rng(seed)
    sentences = Sentences().trained(rng)
    while True:
        if rng.random() < EMPTY:
            length = int(RATE * rng.uniform(0.5, 4.0))
            wave = noise(length, rng.choice((0.0, 0.5, 1.0)), numbers) * np.float32(10 ** rng.uniform(-4.5, -1))
            yield Clip(features(wave).astype(np.float16), "", "nobody")
            continue
        speaker: Speaker = DRAW[rng.choices(tuple(mix), tuple(mix.values()))[0]](rng)
        text = next(sentences)
        wave = varied(speaker.say(text), numbers)
        if len(wave) <= LONGEST * RATE:
            yield Clip(features(wave).astype(np.float16), text, speaker.name)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/ears/clips"))
    parser.add_argument("--from", type=int, default=0, dest="first")
    parser.add_argument("--to", type=int, default=12, dest="last", help="first seed that is not recorded")
    parser.add_argument("--mix", default="flite=45,espeak=55", help="who reads, with weights")
    given = parser.parse_args()
    mix = {name: float(weight) for name, weight in (each.split("=") for each in given.mix.split(","))}
    for seed in range(given.first, given.last):
        started = time.monotonic()
        stream = recorded(seed, mix)
        clips.save([next(stream) for _ in range(SHARD)], given.out / f"{seed:04d}.npz")
        print(f"shard {seed}: {SHARD} clips in {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    main()
