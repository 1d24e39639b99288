"""The network: log-mel features to the probability of speech, in MarbleNet's manner (Jia et al., ICASSP 2021).

Depthwise convolutions over time and pointwise ones over channels, with a stride of two at the entrance. Unlike
MarbleNet's they look mostly back: a frame's probability depends on 91 features before its own and 7 after it. So what a
streaming detector sees around a frame is all there is to see, and it says the same as the whole clip at once would.

The convolutions are written with a second axis of size 1: onnxruntime has a fast path for those and none for depthwise
convolutions along one axis.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """`blocks` are kernel, dilation and look-ahead in frames."""

    features: int = 80
    width: int = 64
    blocks: tuple[tuple[int, int, int], ...] = ((9, 1, 1), (7, 2, 0), (7, 2, 0), (7, 2, 0))


class Block(nn.Module):
    """Depthwise over time, pointwise over channels, and what came in is added."""

    def __init__(self, width: int, kernel: int, dilation: int, ahead: int) -> None:
        super().__init__()
        behind = (kernel - 1) * dilation - ahead
        self.edges = (behind, ahead)
        self.time = nn.Conv2d(width, width, (1, kernel), dilation=(1, dilation), groups=width, bias=False)
        self.mix = nn.Conv2d(width, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, 1, T] to the same."""
        return functional.relu(x + self.norm(self.mix(self.time(functional.pad(x, self.edges)))))


class Detector(nn.Module):
    """Features [B, 80, T] and how many of each row count, int64 [B], to probabilities [B, ⌈T / 2⌉, 1]."""

    def __init__(self, shape: Shape | None = None) -> None:
        super().__init__()
        self.shape = shape or Shape()
        features, width = self.shape.features, self.shape.width
        self.entrance = nn.Conv2d(features, features, (1, 11), stride=(1, 2), groups=features, bias=False)
        self.widen = nn.Conv2d(features, width, 1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        self.blocks = nn.ModuleList(Block(width, *each) for each in self.shape.blocks)
        self.hidden = nn.Conv2d(width, width, 1)
        self.output = nn.Conv2d(width, 1, 1)

    def logits(self, features: Tensor, lengths: Tensor) -> Tensor:
        """float32 [B, ⌈T / 2⌉]."""
        there = torch.arange(features.shape[2], device=features.device)[None, :] < lengths[:, None]
        x = ((features + 8) / 4) * there[:, None, :].to(features.dtype)  # about mean 0 and variance 1; 0 outside
        x = functional.pad(x[:, :, None, :], (5, 5))
        x = functional.relu(self.norm(self.widen(self.entrance(x)))) * there[:, None, None, ::2].to(x.dtype)
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.output(functional.relu(self.hidden(x)))[:, 0, 0]
        return scores

    def forward(self, features: Tensor, lengths: Tensor) -> Tensor:
        """float32 [B, ⌈T / 2⌉, 1], from 0 to 1."""
        return torch.sigmoid(self.logits(features, lengths))[:, :, None]
