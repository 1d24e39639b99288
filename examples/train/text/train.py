"""Train: from nothing to a checkpoint, seeded.

python -m examples.train.text.train --out build/text
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import random
import time
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from . import conversations, material, template, tokenizer
from .batches import Encoder, Row, grouped
from .model import Llama, Shape


@dataclasses.dataclass(frozen=True)
class Plan:
    """One training run. A step learns from about `tokens` tokens.

    The first `begin` of the run only reads conversations of at most `short` tokens: copying is learned
    soonest where there is little to look through.
    """

    steps: int = 3600
    minutes: float | None = None
    tokens: int = 6000
    places: int = 2048
    begin: float = 0.3
    short: int = 160
    reading: float = 0.12
    rate: float = 0.008
    embedding_rate: float = 0.004
    decay: float = 0.05
    warm: float = 0.03
    threads: int = 2
    seed: int = 7
    vocabulary: int = 2048
    joined: int = 380
    tools: float = conversations.TOOLS
    own: float = conversations.OWN


def factor(progress: float, warm: float) -> float:
    """The learning rate's share of its peak: up in a line, down in half a cosine to nearly nothing."""
    if progress < warm:
        return progress / warm
    return 0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * (progress - warm) / (1 - warm)))


def optimizers(model: Llama, plan: Plan) -> list[torch.optim.Optimizer]:
    """Muon for the matrices between embeddings, AdamW for the rest."""
    matrices = [weight for weight in model.blocks.parameters() if weight.dim() == 2]
    others = [model.embedding.weight, *(weight for weight in model.parameters() if weight.dim() == 1)]
    return [
        torch.optim.Muon(matrices, lr=plan.rate, weight_decay=plan.decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=plan.embedding_rate, betas=(0.9, 0.98), weight_decay=0.0),
    ]


class Supply:
    """Rows of freshly drawn conversations."""

    def __init__(self, encoder: Encoder, plan: Plan) -> None:
        chat = template.compiled(template.PATH.read_text("utf-8"))
        drawn = conversations.stream(material.trained(), random.Random(plan.seed), plan.tools, plan.own)
        self.rows = encoder.rows(template.render(chat, each) for each in drawn)

    def take(self, tokens: int, longest: int) -> list[Row]:
        """Rows of about `tokens` tokens in all, none of more than `longest`."""
        taken: list[Row] = []
        while sum(len(row.tokens) for row in taken) < tokens:
            taken.append(next(row for row in self.rows if len(row.tokens) <= longest))
        return taken


def gradient(model: Llama, group: Row, total: float) -> tuple[float, tuple[Tensor, ...]]:
    """Of one padded group: the summed loss of answers, and the gradient of the weighted loss over `total`."""
    weights = torch.from_numpy(group.weights).flatten()
    counted = weights.nonzero()[:, 0]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        states = model(torch.from_numpy(group.tokens)).flatten(0, 1)[counted]
        scores = model.logits(states).float()
    losses = functional.cross_entropy(scores, torch.from_numpy(group.targets).flatten()[counted], reduction="none")
    loss = (losses * weights[counted]).sum() / total
    answers = losses.detach()[weights[counted] == 1].sum().item()
    return answers, torch.autograd.grad(loss, tuple(model.parameters()))


def learn(model: Llama, rows: list[Row], places: int, pool: Executor) -> float:
    """Set the gradient of the weighted mean loss of `rows`; the mean loss of an answer's token.

    Groups of rows run side by side, one thread each: on a busy machine far faster than threads that
    meet after every operation. The sum is taken in order, so the result does not depend on timing.
    """
    total = float(sum(row.weights.sum() for row in rows))
    groups = reversed(list(grouped(rows, places)))
    summed, weights = 0.0, tuple(model.parameters())
    for answers, gradients in pool.map(lambda group: gradient(model, group, total), groups):
        summed += answers
        for weight, part in zip(weights, gradients, strict=True):
            weight.grad = part if weight.grad is None else weight.grad + part
    return summed / sum(int((row.weights == 1).sum()) for row in rows)


def begun(plan: Plan, shape: Shape) -> tuple[Tokenizer, Llama]:
    """A tokenizer made for the material, and a model that knows nothing."""
    lists = material.trained()
    tokens = tokenizer.build(
        tokenizer.sample(lists, 12000, plan.seed), plan.vocabulary, plan.joined, lists.words.copied()
    )
    return tokens, Llama(dataclasses.replace(shape, vocabulary=tokens.get_vocab_size()))


def train(plan: Plan, shape: Shape, out: Path, start: Path | None = None) -> None:
    """Run the plan, from the checkpoint in `start` or from nothing.

    Leaves tokenizer.json, model.pt and metrics.jsonl in `out`.
    """
    torch.manual_seed(plan.seed)
    tokens, model = (tokenizer.load(start / "tokenizer.json"), restore(start)) if start else begun(plan, shape)
    shape = model.shape
    out.mkdir(parents=True, exist_ok=True)
    tokens.save(str(out / "tokenizer.json"))
    print(f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.2f} M parameters, {shape}", flush=True)
    steppers = optimizers(model, plan)
    peaks = [stepper.param_groups[0]["lr"] for stepper in steppers]
    started, seen, progress, step, smooth = time.monotonic(), 0, 0.0, 0, 0.0
    torch.set_num_threads(1)
    with ThreadPoolExecutor(plan.threads) as pool, (out / "metrics.jsonl").open("w") as metrics:
        supply = Supply(Encoder(tokens, model.shape.context, plan.reading), plan)
        while True:
            minutes = (time.monotonic() - started) / 60
            progress = step / plan.steps if plan.minutes is None else minutes / plan.minutes
            if progress >= 1:
                break
            for stepper, peak in zip(steppers, peaks, strict=True):
                stepper.param_groups[0]["lr"] = peak * factor(progress, plan.warm)
            rows = supply.take(plan.tokens, plan.short if progress < plan.begin else shape.context)
            loss = learn(model, rows, plan.places, pool)
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            for stepper in steppers:
                stepper.step()
                stepper.zero_grad(set_to_none=True)
            seen += sum(len(row.tokens) for row in rows)
            step += 1
            smooth = loss if step == 1 else 0.95 * smooth + 0.05 * loss
            if step % 20 == 0:
                entry = {"step": step, "loss": round(smooth, 4), "tokens": seen, "minutes": round(minutes, 2)}
                metrics.write(json.dumps(entry) + "\n")
                metrics.flush()
                print(entry, flush=True)
            if step % 500 == 0:
                save(model, out)
    save(model, out)


def save(model: Llama, out: Path) -> None:
    """Write the checkpoint."""
    torch.save({"shape": dataclasses.asdict(model.shape), "weights": model.state_dict()}, out / "model.pt")


def restore(out: Path) -> Llama:
    """The model of a checkpoint."""
    saved = torch.load(out / "model.pt", weights_only=True)
    model = Llama(Shape(**saved["shape"]))
    model.load_state_dict(saved["weights"])
    return model.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("build/text"))
    parser.add_argument("--start", type=Path, help="a directory with a checkpoint to go on from")
    for kind in (Plan, Shape):
        for each in dataclasses.fields(kind):
            if each.default is not dataclasses.MISSING and each.name != "head":
                convert = float if isinstance(each.default, float) or each.default is None else int
                parser.add_argument(
                    f"--{each.name}", type=convert, default=each.default, help=f"{kind.__name__.lower()}"
                )
    given = vars(parser.parse_args())
    plan = Plan(**{each.name: given[each.name] for each in dataclasses.fields(Plan)})
    sizes = {each.name: given[each.name] for each in dataclasses.fields(Shape) if each.name in given}
    train(plan, Shape(**{**sizes, "vocabulary": plan.vocabulary}), given["out"], given["start"])


if __name__ == "__main__":
    main()
