"""The network: symbols and a style to durations, and to the frames of the vocoder.

Convolutions only, nothing autoregressive, as in FastSpeech (Ren et al. 2019, 2020): an encoder of symbols, a predictor
of durations, an upsampler that knows where in its symbol a frame is, a decoder of frames. It computes two frames of
5 ms at a time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .features import WIDTH
from .symbols import SIZE

STYLE = 256
PLACES = 8
"""Numbers that say where in its symbol a frame is."""


@dataclass(frozen=True)
class Shape:
    """The sizes of a network."""

    symbols: int = 128
    frames: int = 128
    speaker: int = 48
    kernel: int = 5
    dilations: tuple[int, ...] = (1, 1, 2, 1)
    frame_kernel: int = 3
    frame_dilations: tuple[int, ...] = (1, 2, 4, 1, 2)


class Block(nn.Module):
    """A residual convolution, told who speaks: (rows, width, time) to the same."""

    def __init__(self, width: int, speaker: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width, 1))
        self.spread = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation)
        self.speaker = nn.Linear(speaker, width, bias=False)
        self.mix = nn.Conv1d(width, width, 1)
        with torch.no_grad():
            self.mix.weight *= 0.3

    def forward(self, x: Tensor, speaker: Tensor) -> Tensor:
        """Normed, convolved, added."""
        normed = x * torch.rsqrt((x * x).mean(1, keepdim=True) + 1e-5) * self.scale
        hidden = functional.leaky_relu(self.spread(normed) + self.speaker(speaker)[:, :, None], 0.1)
        mixed: Tensor = x + self.mix(hidden)
        return mixed


class Network(nn.Module):
    """The trained part of the voice. Nothing in it behaves otherwise in training."""

    mean: Tensor
    deviation: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(SIZE, shape.symbols)
        self.speaker = nn.Linear(STYLE, shape.speaker)
        self.encoder = nn.ModuleList(
            Block(shape.symbols, shape.speaker, shape.kernel, dilation) for dilation in shape.dilations
        )
        self.timing = Block(shape.symbols, shape.speaker, 3, 1)
        self.lasting = nn.Conv1d(shape.symbols, 1, 1)
        self.enter = nn.Conv1d(2 * (shape.symbols + PLACES), shape.frames, 1)
        self.decoder = nn.ModuleList(
            Block(shape.frames, shape.speaker, shape.frame_kernel, dilation) for dilation in shape.frame_dilations
        )
        self.leave = nn.Conv1d(shape.frames, 2 * WIDTH, 1)
        self.register_buffer("mean", torch.zeros(WIDTH))
        self.register_buffer("deviation", torch.ones(WIDTH))

    def who(self, style: Tensor) -> Tensor:
        """Styles (rows, STYLE) as the network sees them: (rows, speaker). Linear, so that styles can be mixed."""
        seen: Tensor = self.speaker(style)
        return seen

    def encode(self, ids: Tensor, speaker: Tensor, mask: Tensor | None = None) -> Tensor:
        """Symbols in their surroundings: (rows, n) to (rows, symbols, n). `mask` is 1 up to a row's end, then 0."""
        x: Tensor = self.embedding(ids).transpose(1, 2)
        for block in self.encoder:
            x = block(x if mask is None else x * mask[:, None], speaker)
        return x

    def durations(self, encoded: Tensor, speaker: Tensor, mask: Tensor | None = None) -> Tensor:
        """log(1 + frames) of every symbol: (rows, n)."""
        x = self.timing(encoded if mask is None else encoded * mask[:, None], speaker)
        logarithms: Tensor = self.lasting(x)[:, 0]
        return logarithms

    def decode(self, encoded: Tensor, owner: Tensor, start: Tensor, length: Tensor, speaker: Tensor) -> Tensor:
        """Rows for the vocoder, normed: (rows, frames, WIDTH). The number of frames is even.

        `owner` says whose each frame is, `start` how many frames of its symbol come before it, `length` how many its
        symbol has: each (rows, frames). Where `length` is 0 nothing is.
        """
        rows, frames = owner.shape
        there = (length > 0).float()
        symbols = encoded.transpose(1, 2).gather(1, owner[:, :, None].expand(-1, -1, encoded.shape[1]))
        x = torch.cat([symbols, places(start, length)], 2) * there[:, :, None]
        x = self.enter(x.reshape(rows, frames // 2, -1).transpose(1, 2))
        mask = there[:, None, ::2]
        for block in self.decoder:
            x = block(x * mask, speaker)
        out: Tensor = self.leave(x).transpose(1, 2).reshape(rows, frames, WIDTH)
        return out

    def forward(self, *arguments: Tensor) -> Tensor:
        """Not used: the parts are called one by one."""
        raise NotImplementedError


def places(start: Tensor, length: Tensor) -> Tensor:
    """Where in its symbol each frame is: (rows, frames, PLACES)."""
    before, whole = start.float() + 0.5, length.float().clamp(min=1)
    after, part = whole - before, before / whole
    near, log = (before / 6).clamp(max=1), whole.log() / 3
    told = (part, part * part, near, (after / 6).clamp(max=1), log, (part * 3.14159).sin(), before / 20, after / 20)
    return torch.stack([each.clamp(max=4) for each in told], 2)
