"""Train: the letter-to-sound network, from nothing to a checkpoint, seeded.

python -m examples.train.english.train --sources build/english --out build/english
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from sauropod._speech.english.alphabet import BLANK, LETTERS

from .network import Network
from .wordlists import SOURCES
from .words import Word, drawn


def batches(words: Sequence[Word], size: int, dice: random.Random) -> Iterator[list[Word]]:
    """Once through all words in a drawn order, each batch of words of one length."""
    by_length: dict[int, list[Word]] = {}
    for word in words:
        by_length.setdefault(len(word.letters), []).append(word)
    groups = []
    for same in by_length.values():
        dice.shuffle(same)
        groups += [same[at : at + size] for at in range(0, len(same), size)]
    dice.shuffle(groups)
    yield from groups


def read(words: Sequence[Word]) -> tuple[Tensor, Tensor]:
    """What the network takes for words of one length."""
    letters = torch.tensor([[LETTERS.index(letter) for letter in word.letters] for word in words])
    return letters, torch.tensor([word.accent for word in words])


def loss(network: Network, words: Sequence[Word]) -> Tensor:
    """CTC's, for each symbol that is to be said."""
    scores = network(*read(words)).transpose(0, 1)
    said = [word.ids for word in words]
    lengths = torch.tensor([len(ids) for ids in said])
    joined = torch.tensor([symbol for ids in said for symbol in ids])
    places = torch.full((len(words),), scores.shape[0])
    total = functional.ctc_loss(scores, joined, places, lengths, blank=BLANK, reduction="sum")
    return total / lengths.sum()


def factor(progress: float) -> float:
    """The learning rate's share of its peak: up in a line, down in half a cosine."""
    if progress < 0.03:
        return progress / 0.03
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - 0.03) / 0.97))


def train(network: Network, words: list[Word], given: argparse.Namespace) -> None:
    """`given.epochs` times through all words, or until `given.minutes` are over, whichever share is larger."""
    began, dice, step = time.monotonic(), random.Random(given.seed), 0
    steps = given.epochs * sum(1 for _ in batches(words, given.batch, random.Random(0)))
    rule = torch.optim.AdamW(network.parameters(), lr=given.rate, betas=(0.9, 0.98), weight_decay=0.02)
    with (given.out / "metrics.jsonl").open("w") as metrics:
        while True:
            for batch in batches(words, given.batch, dice):
                spent = (time.monotonic() - began) / 60
                progress = max(step / steps, spent / given.minutes)
                if progress >= 1:
                    return
                for group in rule.param_groups:
                    group["lr"] = given.rate * factor(progress)
                rule.zero_grad()
                value = loss(network, batch)
                value.backward()
                rule.step()
                step += 1
                if step % 100 == 0:
                    line = {"step": step, "of": steps, "loss": round(value.item(), 4), "minutes": round(spent, 2)}
                    print(json.dumps(line), file=metrics, flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sources", type=Path, default=SOURCES, help="where the word lists are")
    parser.add_argument("--out", type=Path, default=Path("build/english"))
    parser.add_argument("--start", type=Path, help="a directory that an earlier run left, to go on from")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(given.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    words, _ = drawn(given.sources, given.seed)
    network = Network(given.size)
    if given.start:
        network.load_state_dict(torch.load(given.start / "letters.pt", weights_only=True)["weights"])
    train(network, words, given)
    torch.save({"size": given.size, "weights": network.state_dict()}, given.out / "letters.pt")


if __name__ == "__main__":
    main()
