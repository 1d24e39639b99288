"""Evaluate: how much of what the voice says a recogniser understands, and how fast it is.

    python -m examples.train.voice.evaluate --json build/voice/report.json

The recogniser is pocketsphinx with the English model it comes with; flite itself is heard beside the voice. Sentences
go through sauropod's own pronunciation (`--flite`: through flite's).
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pocketsphinx  # type: ignore[import-untyped]

from . import flite
from .export import ASSET
from .judged import DEMO, GENERAL
from .speaking import Said, Speaker, flite_says, flite_symbols


@dataclass
class Score:
    """Words of a voice: said, misheard; seconds said and computed."""

    words: int = 0
    wrong: int = 0
    seconds: float = 0.0
    took: float = 0.0
    misheard: list[tuple[str, str]] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """The word error rate."""
        return self.wrong / self.words

    def add(self, text: str, said: Said, heard: str) -> None:
        """Count one sentence."""
        expected = words(text)
        wrong = distance(expected, heard.split())
        self.words, self.wrong = self.words + len(expected), self.wrong + wrong
        self.seconds, self.took = self.seconds + said.seconds, self.took + said.took
        if wrong:
            self.misheard.append((text, heard))


class Judge:
    """pocketsphinx with its own English model."""

    def __init__(self) -> None:
        self.decoder = pocketsphinx.Decoder(samprate=16000, loglevel="FATAL")

    def hear(self, said: Said) -> str:
        """The words it understands."""
        samples = (said.samples.clip(-1, 1) * 32767).astype("<i2")
        self.decoder.start_utt()
        self.decoder.process_raw(samples.tobytes(), full_utt=True)
        self.decoder.end_utt()
        best = self.decoder.hyp()
        return re.sub(r"\(\d+\)", "", best.hypstr) if best else ""


def words(text: str) -> list[str]:
    """The words of a text as the recogniser writes them."""
    return re.findall(r"[a-z']+", text.lower())


def distance(expected: Sequence[str], heard: Sequence[str]) -> int:
    """Words to be put in, left out or changed."""
    row = list(range(len(heard) + 1))
    for count, word in enumerate(expected, 1):
        before, row[0] = row[:], count
        for place, other in enumerate(heard, 1):
            row[place] = min(before[place] + 1, row[place - 1] + 1, before[place - 1] + (word != other))
    return row[-1]


def pronouncing(by_flite: bool) -> Callable[[str], str]:
    """What turns a text into symbols."""
    if by_flite:
        program, rng = flite.compiled(Path("build/voice")), random.Random(7)
        return lambda text: flite_symbols(program, text, rng)
    from sauropod._phonemizers import English  # the package that is being demonstrated

    english = English()

    def said(text: str) -> str:
        pieces = english.phonemize(text, "en-us")
        return "".join(piece.phonemes + " " * piece.space for piece in pieces).strip()

    return said


def source(name: str, pronounce: Callable[[str], str], speaker: Speaker) -> Callable[[str], Said]:
    """What speaks: one of the demo voices, or `flite:` and one of flite's."""
    if name.startswith("flite:"):
        return lambda text: flite_says(text, name.removeprefix("flite:"))
    return lambda text: speaker.say(pronounce(text), name)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--asset", type=Path, default=ASSET)
    parser.add_argument("--voices", nargs="+", default=["demo_female", "flite:slt", "demo_male", "flite:rms"])
    parser.add_argument("--count", type=int, default=len(DEMO + GENERAL), help="sentences, spread over all")
    parser.add_argument("--flite", action="store_true", help="pronounce as flite does")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    chosen = np.linspace(0, len(DEMO + GENERAL) - 1, given.count).round().astype(int)
    texts = [(DEMO + GENERAL)[place] for place in chosen]
    pronounce, speaker, judge = pronouncing(given.flite), Speaker(given.asset), Judge()
    report = {}
    for name in given.voices:
        say, score = source(name, pronounce, speaker), Score()
        for text in texts:
            said = say(text)
            score.add(text, said, judge.hear(said))
        report[name] = {"wer": score.rate, "words": score.words, "real_time": score.took / score.seconds}
        print(f"{name}: WER {score.rate:.3f} of {score.words} words, real-time factor", end=" ")
        print(f"{score.took / score.seconds:.3f}", flush=True)
        for text, heard in score.misheard:
            print(f"    {text} | {heard}")
    sizes = {path.name: path.stat().st_size for path in sorted(given.asset.rglob("*")) if path.is_file()}
    print(f"{len(texts)} sentences; loading took {speaker.loading:.2f} s; bytes: {sum(sizes.values()):,} {sizes}")
    if given.json:
        given.json.write_text(
            json.dumps({"voices": report, "bytes": sizes, "sentences": len(texts)}, indent=2) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
