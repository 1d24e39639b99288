"""Muon: steps whose singular values are all about one, for the matrices inside a network.

Jordan et al. 2024 (kellerjordan.github.io/posts/muon), with the scale of Liu et al. 2025 (arXiv 2502.16982). torch's
own computes in bfloat16, which takes ten times as long on a CPU without instructions for it; matrices of one shape are
stacked here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

STEPS = ((3.4445, -4.7750, 2.0315),) * 4
"""Coefficients of the polynomial that is applied again and again."""


def orthogonal(stack: Tensor) -> Tensor:
    """Of [N, rows, columns], the nearest matrices with singular values of about one."""
    tall = stack.shape[1] > stack.shape[2]
    x = stack.mT if tall else stack
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for first, second, third in STEPS:
        square = x @ x.mT
        x = first * x + (second * square + third * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """For two-dimensional parameters only."""

    def __init__(self, parameters: Iterable[Tensor], lr: float, momentum: float = 0.95, decay: float = 0.02) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "decay": decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step."""
        for group in self.param_groups:
            alike: defaultdict[torch.Size, list[Tensor]] = defaultdict(list)
            for weight in group["params"]:
                alike[weight.shape].append(weight)
            for shape, weights in alike.items():
                steps = orthogonal(torch.stack([self._pushed(weight, group) for weight in weights]))
                scale = 0.2 * max(shape) ** 0.5 * group["lr"]
                for weight, step in zip(weights, steps, strict=True):
                    weight.mul_(1 - group["lr"] * group["decay"]).add_(step, alpha=-scale)

    def _pushed(self, weight: Tensor, group: dict[str, Any]) -> Tensor:
        state = self.state[weight]
        assert weight.grad is not None
        if "push" not in state:
            state["push"] = torch.zeros_like(weight)
        push: Tensor = state["push"].lerp_(weight.grad, 1 - group["momentum"])
        return weight.grad.lerp(push, group["momentum"])
