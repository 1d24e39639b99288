"""Evaluate: how many words are heard wrongly, voice by voice, as onnx-asr hears them.

    python -m examples.train.ears.evaluate

Every voice says the same sentences, none of which was trained on: wordings of the demo language model's questions that
are held back, and words in random order. Words are compared without case and punctuation.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .augment import RATE
from .listen import ASSET, Listener
from .scores import score
from .sentences import Sentences
from .speakers import HELD_OUT, Speaker, trained_on

Wave = NDArray[np.float32]
HELD_BACK, SHUFFLED = 40, 10
SILENCE = np.zeros(RATE // 5, np.float32)


def sentences(seed: int = 5) -> tuple[list[str], list[str]]:
    """Those of wordings held back, and those in random order."""
    every, rng = Sentences(), random.Random(seed)
    return list(islice(every.held_back(rng), HELD_BACK)), list(islice(every.shuffled(rng), SHUFFLED))


def judge(directory: Path) -> Callable[[Wave], str]:
    """onnx-asr, with the files as they are."""
    import onnx_asr
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = onnx_asr.load_model(
        "nemo-conformer-tdt", directory, sess_options=options, providers=["CPUExecutionProvider"]
    )
    return lambda wave: str(model.recognize(wave, sample_rate=RATE))


def voices() -> list[Speaker]:
    """The demo voice where it is there, then those never trained on, then a few that were."""
    from . import demo

    found: list[Speaker] = []
    if demo.ASSET.is_dir():
        found += [demo.Demo(1.0), demo.Demo(0.0), demo.Demo(0.5), demo.Demo(voice="demo_scottish")]
    return [*found, *HELD_OUT, *trained_on()]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ASSET)
    parser.add_argument("--wrong", action="store_true", help="print what was heard wrongly")
    parser.add_argument("--only", default="", help="only voices whose names contain this")
    given = parser.parse_args()
    hear, listener = judge(given.model), Listener(given.model)
    held_back, shuffled = sentences()
    print("| voice | held-back wordings | random order | all | exact, with case and marks |")
    print("| --- | ---: | ---: | ---: | ---: |")
    spoken, taken, unlike = 0.0, 0.0, 0
    for voice in voices():
        if given.only not in voice.name:
            continue
        pairs = []
        for text in (*held_back, *shuffled):
            wave = np.concatenate([SILENCE, voice.say(text), SILENCE])
            started = time.process_time()
            pairs.append((text, hear(wave)))
            taken += time.process_time() - started
            spoken += len(wave) / RATE
            unlike += listener(wave).text != pairs[-1][1]
        known, random_order, every = score(pairs[:HELD_BACK]), score(pairs[HELD_BACK:]), score(pairs)
        print(
            f"| {voice.name} | {known.rate:.1%} | {random_order.rate:.1%} | {every.rate:.1%} "
            f"| {every.exact}/{every.count} |",
            flush=True,
        )
        for said, heard in pairs if given.wrong else ():
            if said != heard:
                print(f"    {said}\n    {heard}\n")
    print(f"\nOne thread: {taken / spoken:.3f} s of computing for a second of speech.")
    print(f"{unlike} of the texts differ from those of listen.py.")


if __name__ == "__main__":
    main()
