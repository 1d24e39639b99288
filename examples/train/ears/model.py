"""Model: a small Parakeet: a conformer over eight-fold subsampled features, an LSTM over what was written, a joint.

Gulati et al. 2020 (arXiv 2005.08100) for the blocks, Xu et al. 2023 (arXiv 2304.06795) for tokens with durations.
Attention sees two seconds to each side and turns queries and keys by their place (Su et al. 2021), so that a minute is
heard as a sentence is. What is beyond a row's length never enters: a row gives the same in any batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

DURATIONS = 5
"""A piece or a blank lasts 0 to 4 frames of 80 ms."""


@dataclass(frozen=True)
class Shape:
    """Sizes. `pieces` does not count the blank."""

    pieces: int = 256
    mels: int = 128
    channels: int = 16
    width: int = 144
    blocks: int = 4
    heads: int = 4
    widening: int = 3
    kernel: int = 9
    reach: int = 25
    hidden: int = 160
    dropout: float = 0.05


def within(length: Tensor, size: int) -> Tensor:
    """bool [B, size]: which places are within each row's length."""
    return torch.arange(size, device=length.device)[None, :] < length[:, None]


def halved(length: Tensor) -> Tensor:
    """How many frames a convolution of stride 2 leaves: half, rounded up."""
    return torch.div(length + 1, 2, rounding_mode="floor")


class Subsampling(nn.Module):
    """float [B, mels, T] to [B, T/8, width]: three convolutions over time and mels."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        wide = 2 * shape.channels
        self.layers = nn.ModuleList(
            nn.Conv2d(into, out, 3, stride=2, padding=1)
            for into, out in ((1, shape.channels), (shape.channels, wide), (wide, wide))
        )
        self.project = nn.Linear(wide * shape.mels // 8, shape.width)

    def forward(self, features: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """Frames, and how many of each row count."""
        x = (features * within(length, features.shape[2])[:, None, :]).transpose(1, 2)[:, None]
        for layer in self.layers:
            length = halved(length)
            x = functional.relu(layer(x))
            x = x * within(length, x.shape[2])[:, None, :, None]
        return self.project(x.transpose(1, 2).flatten(2)), length


class Attention(nn.Module):
    """Self-attention among frames that are near."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heads = shape.heads
        self.into = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor) -> Tensor:
        """[B, T, width] of the same."""
        batch, _, width = x.shape
        query, key, value = (
            self.into(x).view(batch, -1, 3 * self.heads, width // self.heads).transpose(1, 2).chunk(3, 1)
        )
        mixed = functional.scaled_dot_product_attention(turned(query, turn), turned(key, turn), value, mask)
        return self.out(mixed.transpose(1, 2).reshape(batch, -1, width))


def angles(frames: int, size: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines [frames, size]: how far each pair of values is turned at each place."""
    speeds = 100.0 ** (-torch.arange(0, size, 2) / size)
    turn = torch.arange(frames)[:, None] * speeds[None, :]
    turn = torch.cat((turn, turn), 1)
    return turn.cos(), turn.sin()


def turned(x: Tensor, turn: tuple[Tensor, Tensor]) -> Tensor:
    """`x` [..., T, size] turned by its places."""
    first, second = x.chunk(2, -1)
    return x * turn[0] + torch.cat((-second, first), -1) * turn[1]


class Convolution(nn.Module):
    """The conformer's convolution, with a LayerNorm for the BatchNorm: nothing depends on the company."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.into = nn.Linear(shape.width, 2 * shape.width)
        self.deep = nn.Conv1d(shape.width, shape.width, shape.kernel, padding=shape.kernel // 2, groups=shape.width)
        self.norm = nn.LayerNorm(shape.width)
        self.out = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """[B, T, width] of the same, where `inside` [B, T, 1] says what counts."""
        x = functional.glu(self.into(x), -1) * inside
        x = self.norm(self.deep(x.transpose(1, 2)).transpose(1, 2))
        return self.out(functional.silu(x))


def feed_forward(shape: Shape) -> nn.Sequential:
    """Half a step's widening and narrowing."""
    wide = shape.widening * shape.width
    return nn.Sequential(
        nn.LayerNorm(shape.width),
        nn.Linear(shape.width, wide),
        nn.SiLU(),
        nn.Linear(wide, shape.width),
    )


class Block(nn.Module):
    """One conformer block."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.before, self.after = feed_forward(shape), feed_forward(shape)
        self.attention, self.convolution = Attention(shape), Convolution(shape)
        self.attended, self.convolved, self.end = (nn.LayerNorm(shape.width) for _ in range(3))
        self.drop = nn.Dropout(shape.dropout)

    def forward(self, x: Tensor, turn: tuple[Tensor, Tensor], mask: Tensor, inside: Tensor) -> Tensor:
        """[B, T, width] of the same."""
        x = x + 0.5 * self.drop(self.before(x))
        x = x + self.drop(self.attention(self.attended(x), turn, mask))
        x = x + self.drop(self.convolution(self.convolved(x), inside))
        return self.end(x + 0.5 * self.drop(self.after(x)))


class Encoder(nn.Module):
    """Features to frames of 80 ms."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.subsampling = Subsampling(shape)
        self.blocks = nn.ModuleList(Block(shape) for _ in range(shape.blocks))

    def forward(self, features: Tensor, length: Tensor) -> tuple[Tensor, Tensor]:
        """float [B, mels, T] and int64 [B] to float [B, T/8, width] and int64 [B]."""
        x, length = self.subsampling(features, length)
        frames = x.shape[1]
        places = torch.arange(frames, device=x.device)
        near = (places[:, None] - places[None, :]).abs() <= self.shape.reach
        inside = within(length, frames)
        mask = near[None, None] & inside[:, None, None, :] | torch.eye(frames, dtype=torch.bool, device=x.device)
        turn = angles(frames, self.shape.width // self.shape.heads)
        for block in self.blocks:
            x = block(x, turn, mask, inside[:, :, None])
        return x, length


class Predictor(nn.Module):
    """What was written so far, summed up."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.embedding = nn.Embedding(shape.pieces + 1, shape.hidden)
        self.drop = nn.Dropout(4 * shape.dropout)
        self.lstm = nn.LSTM(shape.hidden, shape.hidden, batch_first=True)

    def forward(self, ids: Tensor, state: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """int [B, U] to [B, U, hidden] and the LSTM's state, two of [1, B, hidden]."""
        summed, state = self.lstm(self.drop(self.embedding(ids)), state)
        return self.drop(summed), state


class Joint(nn.Module):
    """Scores of pieces, the blank and durations for frames and what was written."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.heard = nn.Linear(shape.width, shape.hidden)
        self.said = nn.Linear(shape.hidden, shape.hidden, bias=False)
        self.scores = nn.Linear(shape.hidden, shape.pieces + 1 + DURATIONS)

    def forward(self, heard: Tensor, said: Tensor) -> Tensor:
        """[B, T, width] and [B, U, hidden] to [B, T, U, pieces + 1 + 5]."""
        return self.scores(functional.relu(self.heard(heard)[:, :, None] + self.said(said)[:, None]))


class Ears(nn.Module):
    """Everything, and a CTC head over the encoder that only training uses."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.encoder, self.predictor, self.joint = Encoder(shape), Predictor(shape), Joint(shape)
        self.ctc = nn.Linear(shape.width, shape.pieces + 1)
        self.apply(_initial)


def _initial(module: nn.Module) -> None:
    """Fan-in: a fixed deviation of 0.02 vanishes behind a LayerNorm at such widths."""
    if isinstance(module, nn.Linear | nn.Conv1d | nn.Conv2d):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu" if isinstance(module, nn.Conv2d) else "linear")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    if isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=0.5)
