"""Export: the trained network as the file that ships, checked against torch.

python -m examples.train.english.export --checkpoint build/english
"""

from __future__ import annotations

import argparse
import io
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from sauropod._speech.english.alphabet import BLANK, SAID
from sauropod._speech.english.letters import Letters
from sauropod._speech.english.listed import listed

from .dictionaries import ASSETS
from .network import Network
from .train import read
from .words import Word

CHECKED = listed(
    "blorfing snarkle flumptious grendelwick marvoline octastic prindle quastor rethumble stroving tavish ulumber "
    "vexillar wimbleton yarrowick zephyrine abandrous bellicost corvander drivelous elkhorn fandiver"
)
"""Words that nobody listed."""


def packed(weights: dict[str, torch.Tensor]) -> bytes:
    """Matrices as int8 with a float16 scale for each row, the rest as float16; what `Letters` takes."""
    arrays: dict[str, NDArray[np.generic]] = {}
    for name, weight in weights.items():
        values = weight.float().numpy()
        if values.ndim == 2:
            scale = (np.abs(values).max(axis=1) / 127).astype(np.float16)
            scale = np.maximum(scale, np.float16(1e-6))
            arrays[name] = np.clip(np.round(values / scale.astype(np.float32)[:, None]), -127, 127).astype(np.int8)
            arrays[f"{name}.scale"] = scale
        else:
            arrays[name] = values.astype(np.float16)
    stored = io.BytesIO()
    np.savez_compressed(stored, **arrays)  # type: ignore[arg-type]
    return stored.getvalue()


def said(network: Network, word: str) -> str:
    """What torch says of a word in the American accent: the likeliest symbols, without repetitions and nothings."""
    with torch.no_grad():
        scores = network(*read([Word(word, 0, "")]))[0]
    places = [place for place, _ in groupby(scores.argmax(-1).tolist())]
    return "".join(SAID[place] for place in places if place != BLANK)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--checkpoint", type=Path, default=Path("build/english"), help="what train left")
    parser.add_argument("--to", type=Path, default=ASSETS / "letters.npz")
    given = parser.parse_args()
    checkpoint = torch.load(given.checkpoint / "letters.pt", weights_only=True)
    stored = packed(checkpoint["weights"])
    network = Network(checkpoint["size"])
    network.load_state_dict(checkpoint["weights"])
    agree = sum(Letters(stored).say(word, "us") == said(network, word) for word in CHECKED)
    if agree < 0.9 * len(CHECKED):
        raise SystemExit(f"numpy says only {agree} of {len(CHECKED)} words as torch does; nothing was written")
    given.to.write_bytes(stored)
    print(f"{agree} of {len(CHECKED)} words are said as by torch; int8 changes some")


if __name__ == "__main__":
    main()
