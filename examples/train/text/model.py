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
    layers: int = 8
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


def rotations(shape: Shape) -> Tensor:
    """Cosine and sine of every position and frequency: (2, context, head / 2)."""
    powers = torch.arange(0, shape.head, 2, dtype=torch.float32) / shape.head
    angles = torch.outer(torch.arange(shape.context, dtype=torch.float32), shape.theta**-powers)
    return torch.stack((angles.cos(), angles.sin()))


def rotate(x: Tensor, turns: Tensor) -> Tensor:
    """Turn neighbouring pairs of `x` (…, time, head): llama.cpp's order, so nothing is permuted."""
    cosine, sine = turns[0, : x.shape[-2]], turns[1, : x.shape[-2]]
    even, odd = x.float().unflatten(-1, (-1, 2)).unbind(-1)
    turned = torch.stack((even * cosine - odd * sine, even * sine + odd * cosine), dim=-1)
    return turned.flatten(-2).type_as(x)


class Attention(nn.Module):
    """Causal self-attention with grouped key/value heads."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.query = nn.Linear(shape.width, shape.heads * shape.head, bias=False)
        self.key = nn.Linear(shape.width, shape.groups * shape.head, bias=False)
        self.value = nn.Linear(shape.width, shape.groups * shape.head, bias=False)
        self.output = nn.Linear(shape.heads * shape.head, shape.width, bias=False)

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor | None) -> Tensor:
        """`x` is (rows, time, width); `mask` (rows, 1, time, time) is true where looking is allowed."""
        head = self.shape.head
        query = rotate(self.query(x).unflatten(-1, (-1, head)).transpose(1, 2), turns)
        key = rotate(self.key(x).unflatten(-1, (-1, head)).transpose(1, 2), turns)
        value = self.value(x).unflatten(-1, (-1, head)).transpose(1, 2)
        repeat = self.shape.heads // self.shape.groups
        key, value = key.repeat_interleave(repeat, 1), value.repeat_interleave(repeat, 1)
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask, is_causal=mask is None
        )
        mixed: Tensor = self.output(seen.transpose(1, 2).flatten(-2))
        return mixed


class FeedForward(nn.Module):
    """SwiGLU."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(…, width) to (…, width)."""
        y: Tensor = self.down(functional.silu(self.gate(x)) * self.up(x))
        return y


class Block(nn.Module):
    """Attention, then feed-forward, each normalised before and added after."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.attention_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.attention = Attention(shape)
        self.feed_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.feed = FeedForward(shape)

    def forward(self, x: Tensor, turns: Tensor, mask: Tensor | None) -> Tensor:
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
            if name.endswith(("output.weight", "down.weight")):
                nn.init.normal_(weight, std=0.02 / (2 * self.shape.layers) ** 0.5)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Hidden states (rows, time, width), normalised."""
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.turns, mask)
        y: Tensor = self.norm(x)
        return y

    def logits(self, states: Tensor) -> Tensor:
        """Scores of every token of the vocabulary: (…, vocabulary)."""
        return functional.linear(states, self.embedding.weight)
