"""Average: one checkpoint of two, where the second went on from the first.

python -m examples.train.text.average build/text/1 build/text/2 --share 0.75 --out build/text/mean

What the second learned is kept with much of what it forgot (Wortsman et al., "Model soups", arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch

from .train import restore, save


def average(first: Path, second: Path, share: float, out: Path) -> None:
    """Leave in `out` the weights of `first` and `second`, the latter counting `share`."""
    model, other = restore(first), restore(second)
    if (
        model.shape != other.shape
        or (first / "tokenizer.json").read_bytes() != (second / "tokenizer.json").read_bytes()
    ):
        raise ValueError(f"{second} did not go on from {first}: they differ in their sizes or their tokens")
    with torch.no_grad():
        for weight, late in zip(model.parameters(), other.parameters(), strict=True):
            weight.lerp_(late, share)
    out.mkdir(parents=True, exist_ok=True)
    shutil.copy(first / "tokenizer.json", out)
    save(model, out)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("first", type=Path)
    parser.add_argument("second", type=Path)
    parser.add_argument("--share", type=float, default=0.5, help="of the second")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    average(given.first, given.second, given.share, given.out)


if __name__ == "__main__":
    main()
