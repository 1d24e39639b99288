"""Train: from nothing to a checkpoint, seeded. One thread, a quarter of an hour.

python -m examples.train.vad.train --out build/vad
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from . import record
from .features import Features
from .mixing import Material, material, scene
from .model import Detector


@dataclass(frozen=True)
class Plan:
    """One run: steps of `batch` scenes of `frames` frames of 20 ms, with `noises` noises of each kind to choose from.

    With `minutes` it ends by the clock instead.
    """

    steps: int = 2200
    batch: int = 20
    frames: int = 160
    noises: int = 60
    rate: float = 0.004
    decay: float = 0.01
    seed: int = 11
    minutes: float | None = None


def drawn(plan: Plan, random: np.random.Generator, given: Material) -> tuple[Tensor, Tensor]:
    """Scenes and their labels: float32 [B, n] and [B, frames]."""
    scenes = [scene(random, given, plan.frames) for _ in range(plan.batch)]
    return (
        torch.from_numpy(np.stack([each.samples for each in scenes])),
        torch.from_numpy(np.stack([each.speech for each in scenes])).float(),
    )


def weights(labels: Tensor) -> Tensor:
    """How much each frame counts: half next to where speech begins or ends, where a label is a matter of taste."""
    turns = (labels[:, 1:] != labels[:, :-1]).float()
    near = functional.pad(turns, (0, 1)) + functional.pad(turns, (1, 0))
    return 1 - 0.5 * near.clamp(max=1)


def factor(progress: float) -> float:
    """The learning rate's share of its peak."""
    return min(1.0, progress / 0.03) * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * progress)))


def train(plan: Plan, out: Path, start: Path | None = None) -> None:
    """Leave model.pt and metrics.jsonl in `out`, where `record` left its clips.

    Goes on from the checkpoint in `start`, if there is one.
    """
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    random = np.random.default_rng(plan.seed)
    given = material(random, record.load(out / "trained.npz"), plan.noises)
    features, model = Features(), restore(start).train() if start else Detector()
    print(f"{sum(each.numel() for each in model.parameters())} parameters", flush=True)
    stepper = torch.optim.AdamW(model.parameters(), lr=plan.rate, weight_decay=plan.decay)
    started, smooth, step = time.monotonic(), 0.7, 0
    with (out / "metrics.jsonl").open("w") as metrics:
        while True:
            minutes = (time.monotonic() - started) / 60
            progress = step / plan.steps if plan.minutes is None else minutes / plan.minutes
            if progress >= 1:
                break
            stepper.param_groups[0]["lr"] = plan.rate * factor(progress)
            audio, labels = drawn(plan, random, given)
            with torch.no_grad():
                seen = features(audio)
            logits = model.logits(seen, torch.full((len(seen),), seen.shape[2]))
            loss = functional.binary_cross_entropy_with_logits(logits, labels, weights(labels))
            stepper.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            stepper.step()
            step += 1
            smooth = 0.98 * smooth + 0.02 * loss.item()
            if step % 50 == 0:
                entry = {"step": step, "loss": round(smooth, 4), "minutes": round(minutes, 2)}
                metrics.write(json.dumps(entry) + "\n")
                print(entry, flush=True)
            if step % 400 == 0:
                torch.save(model.state_dict(), out / "model.pt")
    torch.save(model.state_dict(), out / "model.pt")


def restore(out: Path) -> Detector:
    """The network of a checkpoint, ready to be used."""
    model = Detector()
    model.load_state_dict(torch.load(out / "model.pt", weights_only=True))
    return model.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/vad"))
    parser.add_argument("--start", type=Path, help="a directory with a checkpoint to go on from")
    for each in dataclasses.fields(Plan):
        convert = float if isinstance(each.default, float) or each.default is None else int
        parser.add_argument(f"--{each.name}", type=convert, default=each.default)
    given = vars(parser.parse_args())
    train(Plan(**{each.name: given[each.name] for each in dataclasses.fields(Plan)}), given["out"], given["start"])


if __name__ == "__main__":
    main()
