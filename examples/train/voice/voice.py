"""Voice: the whole graph, from symbols, a style and a speed to a wave, as Kokoro's exports have it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from . import features
from .model import Network
from .phones import EDGE
from .symbols import NEAREST, VOCABULARY
from .vocoder import Vocoder


class Voice(nn.Module):
    """A trained network and the vocoder. It has no state and draws nothing at random."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network
        self.vocoder = Vocoder()
        with torch.no_grad():
            for symbol, near in NEAREST.items():
                network.embedding.weight[VOCABULARY[symbol]] = network.embedding.weight[VOCABULARY[near]]

    def forward(self, input_ids: Tensor, style: Tensor, speed: Tensor) -> tuple[Tensor, Tensor]:
        """Ids (1, n + 2), a style (1, 256), a speed (1) to `waveform` (1, samples) and `duration` (n + 2) in frames."""
        speaker = self.network.who(style)
        encoded = self.network.encode(input_ids, speaker)
        lasting = self.network.durations(encoded, speaker).relu().expm1()
        duration = _whole(lasting.where(input_ids != 0, float(EDGE)), speed)
        frames = 2 * _item(duration.sum() // 2)
        owner, start, length = _frames(duration, frames)
        rows = self.network.decode(encoded, owner[None], start[None], length[None], speaker)[0]
        heard = (input_ids[0] != 0)[owner].float()
        return self.vocoder(self._meant(rows), heard)[None], duration

    def _meant(self, rows: Tensor) -> Tensor:
        """Rows as the vocoder takes them, of rows as the network gives them."""
        scaled = rows * self.network.deviation + self.network.mean
        voiced = (rows[:, features.VOICED] > 0).float()
        strengths = scaled[:, features.STRENGTHS].clamp(0, 1)
        pitch = scaled[:, features.PITCH].clamp(3.7, 6.3)
        return torch.cat([voiced, pitch, strengths, scaled[:, features.CEPSTRUM]], 1)


def _whole(lasting: Tensor, speed: Tensor) -> Tensor:
    """Whole frames of every symbol (n + 2), their sum even: the ends are rounded, so that nothing adds up."""
    ends = (lasting[0].cumsum(0) / speed).round().long()
    ends = torch.cat([ends[:-1], ends[-1:] + ends[-1:] % 2])
    return ends - torch.cat([torch.zeros_like(ends[:1]), ends[:-1]])


def _item(count: Tensor) -> int:
    """A number out of a tensor, at least 2, in a way that `torch.export` follows."""
    number = int(count.item())
    torch._check(number >= 2)  # type: ignore[no-untyped-call]
    return number


def _frames(duration: Tensor, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of every frame: whose it is, how many of its symbol's come before it, how many its symbol has."""
    ends = duration.cumsum(0)
    times = torch.arange(frames)
    owner = (ends[None] <= times[:, None]).long().sum(1)
    return owner, times - (ends - duration)[owner], duration[owner]
