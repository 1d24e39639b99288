"""Train: from the corpus to a checkpoint, seeded.

python -m examples.train.voice.train --out build/voice
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from . import corpus, flite
from .batches import Batch, batched, packed, unpacked
from .features import CEPSTRUM, PITCH, STRENGTHS, VOICED, Example, example
from .model import STYLE, Network, Shape

VOICES = ("slt", "rms", "awb")
"""flite's names; a voice's place here is its number."""


@dataclass(frozen=True)
class Plan:
    """One training run: lines of the corpus for each voice, and how long. A batch has about `frames` frames of 5 ms.

    What is kept is a running mean of the weights, each step `decay` of what it was.
    """

    lines: int = 1200
    minutes: float = 30
    steps: int = 100_000
    frames: int = 3000
    rate: float = 0.0016
    decay: float = 0.998
    warm: int = 100
    threads: int = 1
    seed: int = 7


class Learner(nn.Module):
    """The network and the styles it learns: one row of STYLE numbers for each voice."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.network = Network(shape)
        self.styles = nn.Parameter(torch.randn(len(VOICES), STYLE) * 0.1)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """What is wrong with durations and frames, each a number."""
        network = self.network
        speaker = network.who(self.styles[batch.voice])
        encoded = network.encode(batch.ids, speaker, batch.mask)
        logarithms = network.durations(encoded, speaker, batch.mask)
        off = (logarithms - batch.lasting.float().log1p()).abs() * batch.mask
        rows = network.decode(encoded, batch.owner, batch.start, batch.length, speaker)
        there = (batch.length > 0).float()[:, :, None]
        goal = (batch.target - network.mean) / network.deviation
        weights = network.deviation[CEPSTRUM] ** 0.5

        def mean(values: Tensor) -> Tensor:
            return (values * there).sum() / there.sum()

        voiced = batch.target[:, :, VOICED]
        return {
            "lasting": off.sum() / batch.mask.sum(),
            "voiced": mean(functional.binary_cross_entropy_with_logits(rows[:, :, VOICED], voiced, reduction="none")),
            "pitch": mean((rows - goal)[:, :, PITCH].abs() * (0.1 + 0.9 * voiced)),
            "strengths": mean((rows - goal)[:, :, STRENGTHS].abs()) / 5,
            "cepstrum": mean((rows - goal)[:, :, CEPSTRUM].abs() * weights) / weights.sum(),
        }


def material(plan: Plan, directory: Path) -> list[tuple[int, Example]]:
    """The corpus as every voice says it, with the voice's number. It is kept in `directory` for the next time."""
    path = directory / f"examples-{plan.lines}-{plan.seed}.npz"
    if path.exists():
        with np.load(path) as kept:
            return unpacked({name: kept[name] for name in kept.files})
    program = flite.compiled(directory)
    examples = []
    for number, voice in enumerate(VOICES):
        rng = random.Random(f"{plan.seed} {voice}")
        lines = corpus.unique(corpus.sentences(plan.lines, rng))
        said = flite.spoken(program, voice, lines)
        examples += [(number, example(utterance, rng)) for utterance in said if len(utterance.segments) > 3]
        print(f"{voice}: {len(said)} utterances", flush=True)
    np.savez(path, allow_pickle=False, **packed(examples))
    return examples


def fit(learner: Learner, examples: Sequence[tuple[int, Example]], plan: Plan, out: Path) -> None:
    """Learn until the plan's end, leaving a checkpoint now and then."""
    network = learner.network
    rows = np.concatenate([example.rows for _, example in examples])
    network.mean.copy_(torch.from_numpy(rows.mean(0)))
    network.deviation.copy_(torch.from_numpy(rows.std(0)))
    network.mean[VOICED], network.deviation[VOICED] = 0, 1
    print(f"{len(examples)} utterances, {len(rows) / 720_000:.1f} hours", flush=True)
    del rows
    optimizer = torch.optim.AdamW(learner.parameters(), plan.rate, betas=(0.9, 0.98), weight_decay=0.01)
    mean = [parameter.detach().clone() for parameter in learner.parameters()]
    began = saved = time.monotonic()
    shown: dict[str, float] = {}
    for step, batch in enumerate(batched(examples, plan.frames, random.Random(plan.seed))):
        done = max(step / plan.steps, (time.monotonic() - began) / 60 / plan.minutes)
        if done >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = plan.rate * min(1, (step + 1) / plan.warm) * (0.02 + 0.98 * math.cos(done * math.pi / 2) ** 2)
        losses = learner.losses(batch)
        optimizer.zero_grad()
        sum(losses.values()).backward()  # type: ignore[union-attr]
        nn.utils.clip_grad_norm_(learner.parameters(), 1.0)
        optimizer.step()
        torch._foreach_lerp_(mean, [*learner.parameters()], 1 - min(plan.decay, (step + 1) / (step + 10)))
        _tell(step, done, losses, shown, out)
        if time.monotonic() - saved > 120:
            saved = time.monotonic()
            save(learner, mean, plan, out)
    save(learner, mean, plan, out)


def _tell(step: int, done: float, losses: Mapping[str, Tensor], shown: dict[str, float], out: Path) -> None:
    """Keep running means of the losses, and write them down now and then."""
    for name, loss in losses.items():
        value = float(loss.detach())
        shown[name] = 0.97 * shown.get(name, value) + 0.03 * value
    if step % 50 == 0:
        line = json.dumps({"step": step, "done": round(done, 3)} | {key: round(v, 4) for key, v in shown.items()})
        print(line, flush=True)
        with (out / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def save(learner: Learner, mean: Sequence[Tensor], plan: Plan, out: Path) -> None:
    """Leave `model.pt` in `out`, with `mean` for the parameters: whole, or as it was."""
    partial = out / "model.pt.partial"
    names = [name for name, _ in learner.named_parameters()]
    state = learner.state_dict() | dict(zip(names, mean, strict=True))
    torch.save({"shape": asdict(learner.network.shape), "plan": asdict(plan), "state": state}, partial)
    partial.replace(out / "model.pt")


def restore(path: Path) -> Learner:
    """The learner of a checkpoint, for use."""
    kept = torch.load(path / "model.pt", weights_only=True)
    learner = Learner(Shape(**kept["shape"]))
    learner.load_state_dict(kept["state"])
    return learner.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/voice"))
    parser.add_argument("--start", type=Path, help="a directory with a checkpoint to go on from")
    for name, kind in (("lines", int), ("minutes", float), ("steps", int), ("rate", float), ("seed", int)):
        parser.add_argument(f"--{name}", type=kind, default=getattr(Plan, name))
    given = parser.parse_args()
    plan = Plan(lines=given.lines, minutes=given.minutes, steps=given.steps, rate=given.rate, seed=given.seed)
    torch.set_num_threads(plan.threads)
    torch.manual_seed(plan.seed)
    given.out.mkdir(parents=True, exist_ok=True)
    learner = restore(given.start).train() if given.start else Learner(Shape())
    print(f"{sum(p.numel() for p in learner.parameters()):,} parameters", flush=True)
    fit(learner, material(plan, given.out), plan, given.out)


if __name__ == "__main__":
    main()
