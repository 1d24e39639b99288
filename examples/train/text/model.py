"""The network: a small Llama, in the layout llama.cpp runs under the name `llama`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Shape:
    """The sizes of a network. `heads` query heads share `groups` key/value heads."""

    vocabulary: int
    width: int = 256
    layers: int = 6
    heads: int = 4
    groups: int = 2
    hidden: int = 512
    context: int = 1024
    theta: float = 10000.0
    epsilon: float = 1e-5

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads

    @property
    def projections(self) -> list[int]:
        """Widths of query, key and value."""
        return [self.width, self.groups * self.head, self.groups * self.head]


def rotations(shape: Shape) -> Tensor:
    """The turn of every position and frequency, as unit complex numbers: (context, head / 2)."""
    powers = torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float32), shape.theta**-powers)
    return torch.polar(torch.ones_like(angles), angles)


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn neighbouring pairs of `x` (rows, time, heads, head): llama.cpp's order, nothing is permuted."""
    pairs = torch.view_as_complex(x.float().reshape(*x.shape[:-1], -1, 2))
    turned = torch.view_as_real(pairs * turns[: x.shape[1], None])
    return turned.flatten(-2).type_as(x)


class Attention(nn.Module):
    """Causal self-attention with grouped key/value heads.

    Written out: for rows as short as these, far faster on a CPU than PyTorch's fused attention.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.input = nn.Linear(shape.width, sum(shape.projections), bias=False)
        self.output = nn.Linear(shape.width, shape.width, bias=False)

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        """(rows, time, width) to the same."""
        query, key, value = (
            part.reshape(*x.shape[:2], -1, self.shape.head)
            for part in torch.split(self.input(x), self.shape.projections, -1)
        )
        repeat = self.shape.heads // self.shape.groups
        query = rotate(query, turns).transpose(1, 2) * self.shape.head**-0.5
        key = rotate(key, turns).repeat_interleave(repeat, 2).permute(0, 2, 3, 1)
        value = value.repeat_interleave(repeat, 2).transpose(1, 2)
        seen = (query @ key + mask).softmax(-1) @ value
        mixed: Tensor = self.output(seen.transpose(1, 2).flatten(-2))
        return mixed


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.input = nn.Linear(shape.width, 2 * shape.hidden, bias=False)
        self.output = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) to (…, width)."""
        gate, up = self.input(x).chunk(2, -1)
        y: Tensor = self.output(functional.silu(gate) * up)
        return y


class Block(nn.Module):
    """Attention, then feed-forward, each normalised before and added after."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attention = Attention(shape)
        self.feed_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.feed = FeedForward(shape)

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor) -> Tensor:
        """(rows, time, width) to the same."""
        x = x + self.attention(self.attention_norm(x), turns, mask)
        y: Tensor = x + self.feed(self.feed_norm(x))
        return y


class Llama(nn.Module):
    """Token ids (rows, time) to hidden states; `logits` reads words off them with the tied embedding."""

    turns: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.register_buffer("turns", rotations(shape), persistent=False)
        self._start()

    def _start(self) -> None:
        """Small normal weights; what writes to the residual stream starts smaller with depth."""
        for name, weight in self.named_parameters():
            if weight.dim() == 2:
                nn.init.normal_(weight, std=0.02)
            if name.endswith("output.weight"):
                nn.init.normal_(weight, std=0.02 / (2 * self.shape.layers) ** 0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Hidden states (rows, time, width), normalised."""
        x = self.embedding(tokens)
        length = tokens.shape[1]
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
        mask = torch.full((length, length), -torch.inf, dtype=kind).triu(1)
        for block in self.blocks:
            x = block(x, self.turns, mask)
        y: Tensor = self.norm(x)
        return y

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every token of the vocabulary: (…, vocabulary)."""
        return functional.linear(states, self.embedding.weight)
