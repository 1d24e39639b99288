"""Train: from recorded clips to a checkpoint, seeded.

    python -m examples.train.ears.train --clips build/ears/clips --out build/ears

First the encoder alone learns which pieces are heard (CTC, Graves et al. 2006), which needs no lattice; then everything
learns to write them (TDT), the encoder's own loss still helping. What is saved is a running mean of the weights.
"""

from __future__ import annotations

import argparse
import copy
import dataclasses
import json
import math
import random
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from . import pieces
from .batches import Batch, batched
from .clips import Clip, load
from .loss import tdt_loss
from .model import Ears, Shape
from .muon import Muon
from .pieces import Pieces
from .sentences import Sentences


@dataclasses.dataclass(frozen=True)
class Plan:
    """One training run. A step learns from about `frames` frames of 10 ms, padding included."""

    steps: int = 3000
    minutes: float | None = None
    frames: int = 4500
    listening: float = 0.45
    """The share of the run in which only the encoder learns."""
    short: float = 0.12
    """The share of the run in which it only hears clips of at most 1.8 s."""
    helping: float = 0.3
    share: float = 0.5
    """How many of a step's clips learn to be written, once that has begun: a lattice is half of the work."""
    rate: float = 0.004
    other_rate: float = 0.002
    warm: float = 0.04
    flat: float = 0.35
    """The share of the run before the rates begin to fall."""
    mean: float = 0.997
    threads: int = 1
    seed: int = 11


def factor(progress: float, warm: float, flat: float) -> float:
    """The learning rate's share of its peak: up in a line, flat for a while, down in half a cosine."""
    if progress < warm:
        return progress / warm
    falling = max(0.0, (progress - flat) / max(1e-9, 1 - flat))
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * falling))


def optimizers(model: Ears, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the matrices of the blocks, AdamW for the rest."""
    matrices = [weight for weight in model.encoder.blocks.parameters() if weight.dim() == 2]
    chosen = {id(weight) for weight in matrices}
    others = [weight for weight in model.parameters() if id(weight) not in chosen]
    return [
        Muon(matrices, lr=plan.rate),
        torch.optim.AdamW(others, lr=plan.other_rate, betas=(0.9, 0.98), weight_decay=0.01),
    ]


def losses(model: Ears, batch: Batch, helping: float, share: float) -> Tensor:
    """A piece's mean loss: of a `share` of the clips in writing, and of all in listening where that is `helping`."""
    heard, frames = model.encoder(batch.features, batch.frames)
    blank = model.shape.pieces
    scores = model.ctc(heard).log_softmax(-1).transpose(0, 1)
    ctc = functional.ctc_loss(
        scores, batch.targets, frames, batch.lengths, blank, reduction="sum", zero_infinity=True
    ) / batch.lengths.sum().clamp(min=1)
    if not share:
        return ctc
    count = max(1, round(share * len(frames)))
    rows = torch.randperm(len(frames))[:count]
    frames, lengths = frames[rows], batch.lengths[rows]
    targets, heard = batch.targets[rows, : max(1, int(lengths.max()))], heard[rows, : int(frames.max())]
    said, _ = model.predictor(functional.pad(targets, (1, 0), value=blank))
    tdt = tdt_loss(model.joint(heard, said), targets, frames, lengths, blank)
    # A clip too fast for its pieces has no path worth learning.
    return helping * ctc + tdt[tdt < 20 * (frames + lengths)].sum() / lengths.sum().clamp(min=1)


@dataclasses.dataclass
class Library:
    """Shards as they come: what is recorded while training goes on is heard from the next round on."""

    directories: list[Path]
    loaded: dict[Path, list[Clip]] = dataclasses.field(default_factory=dict)

    def clips(self) -> list[Clip]:
        """All there are now."""
        for path in sorted(path for each in self.directories for path in each.glob("*.npz")):
            if path not in self.loaded:
                self.loaded[path] = list(load(path))
        return [clip for clips in self.loaded.values() for clip in clips]


def begun(shape: Shape, seed: int) -> tuple[Pieces, Ears]:
    """Pieces made for the sentences, and a model that has heard nothing."""
    texts = list(islice(Sentences().trained(random.Random(seed)), 20000))
    found = pieces.build(texts, shape.pieces)
    return found, Ears(dataclasses.replace(shape, pieces=len(found)))


def train(plan: Plan, shape: Shape, library: Library, out: Path, start: Path | None = None) -> None:
    """Run the plan, from the checkpoint in `start` or from nothing.

    Leaves pieces.json, model.pt and metrics.jsonl in `out`.
    """
    torch.manual_seed(plan.seed)
    torch.set_num_threads(plan.threads)
    rng = random.Random(plan.seed)
    parts, model = (pieces.load(start / "pieces.json"), restore(start, "last")) if start else begun(shape, plan.seed)
    mean = copy.deepcopy(model).eval()
    model.train()
    out.mkdir(parents=True, exist_ok=True)
    parts.save(out / "pieces.json")
    print(f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.2f} M parameters, {model.shape}", flush=True)
    steppers = optimizers(model, plan)
    peaks = [stepper.param_groups[0]["lr"] for stepper in steppers]
    started, step, smooth, progress, saved = time.monotonic(), 0, 0.0, 0.0, time.monotonic()
    with (out / "metrics.jsonl").open("a") as metrics:
        batches: Iterator[Batch] = iter(())
        while progress < 1:
            for stepper, peak in zip(steppers, peaks, strict=True):
                stepper.param_groups[0]["lr"] = peak * factor(progress, plan.warm, plan.flat)
            batch = next(batches, None)
            if batch is None:
                clips = library.clips()
                if progress < plan.short:
                    clips = [clip for clip in clips if clip.features.shape[1] <= 180]
                print(f"{len(clips)} clips, {sum(clip.features.shape[1] for clip in clips) / 360000:.1f} h", flush=True)
                batches = batched(clips, parts.ids, plan.frames, rng)
                continue
            share = 0.0 if progress < plan.listening else plan.share
            loss = losses(model, batch, plan.helping, share)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), 3.0)
            for stepper in steppers:
                stepper.step()
                stepper.zero_grad(set_to_none=True)
            step += 1
            average(mean, model, min(plan.mean, 1 - 1 / step))
            smooth = loss.item() if step == 1 else 0.97 * smooth + 0.03 * loss.item()
            minutes = (time.monotonic() - started) / 60
            progress = step / plan.steps if plan.minutes is None else minutes / plan.minutes
            if step % 20 == 0:
                entry = {
                    "step": step,
                    "loss": round(smooth, 3),
                    "minutes": round(minutes, 2),
                    "progress": round(progress, 3),
                }
                metrics.write(json.dumps(entry) + "\n")
                metrics.flush()
                print(entry, flush=True)
            if time.monotonic() - saved > 120:
                saved = time.monotonic()
                save(mean, model, out)
    save(mean, model, out)


@torch.no_grad()
def average(mean: Ears, model: Ears, keep: float) -> None:
    """Move the mean a little towards the model."""
    for kept, weight in zip(mean.parameters(), model.parameters(), strict=True):
        kept.lerp_(weight, 1 - keep)


def save(mean: Ears, model: Ears, out: Path) -> None:
    """Write the checkpoint, whole or not at all: the mean, and where learning is to go on from."""
    unfinished = out / "model.part"
    shape = dataclasses.asdict(model.shape)
    torch.save({"shape": shape, "weights": mean.state_dict(), "last": model.state_dict()}, unfinished)
    unfinished.rename(out / "model.pt")


def restore(out: Path, which: str = "weights") -> Ears:
    """The model of a checkpoint: the mean, or the `last` weights of the run."""
    saved = torch.load(out / "model.pt", weights_only=True)
    model = Ears(Shape(**saved["shape"]))
    model.load_state_dict(saved[which])
    return model.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, nargs="+", default=[Path("build/ears/clips")])
    parser.add_argument("--out", type=Path, default=Path("build/ears"))
    parser.add_argument("--start", type=Path, help="a directory with a checkpoint to go on from")
    for kind in (Plan, Shape):
        for each in dataclasses.fields(kind):
            convert = float if isinstance(each.default, float) or each.default is None else int
            parser.add_argument(f"--{each.name}", type=convert, default=each.default, help=kind.__name__.lower())
    given = vars(parser.parse_args())
    plan, shape = (kind(**{each.name: given[each.name] for each in dataclasses.fields(kind)}) for kind in (Plan, Shape))
    assert isinstance(plan, Plan)
    assert isinstance(shape, Shape)
    train(plan, shape, Library(given["clips"]), given["out"], given["start"])


if __name__ == "__main__":
    main()
