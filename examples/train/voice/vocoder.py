"""Vocoder: frames of parameters as a wave, in operations that ONNX has.

What flite's MLSA filter does sample by sample (Imai et al. 1983; Yoshimura et al. 2001 for mixed excitation) is done
here frame by frame in the frequency domain: pulses and noise, windowed, times the filter's response
H(w) = exp(sum c[m] exp(-i m warped(w))), overlapped and added. Nothing is random: the noise is a product of two fixed
sequences whose lengths share no factor.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn

from . import features
from .flite import BANDS

RATE = 24_000
"""Samples a second that come out."""

HOP = 120
"""Samples of a frame of 5 ms."""

SPAN, POINTS = 3 * HOP, 6 * HOP
"""Samples of a window, and of a filtered window: what rings longer than 15 ms folds back."""

BINS = POINTS // 2 + 1
WARP = 0.42
SOURCE = 16_000
"""flite's own rate. Above half of it the envelope is its mirror image, fading by `FADE` nepers up to 12 kHz."""

FADE = 4.0
TOP = 11_000.0
"""Hz that no harmonic passes."""

EDGES = (1000.0, 2000.0, 4000.0, 6000.0)
"""Hz between the bands of mixed excitation."""

NOISE = (6007, 5003)


class Vocoder(nn.Module):
    """Parameters of frames, as in `features`, to samples. Needs no training."""

    real: Tensor
    imaginary: Tensor
    fade: Tensor
    bands: Tensor
    window: Tensor
    cosine: Tensor
    sine: Tensor
    weights: Tensor
    loudness: Tensor
    signs: Tensor

    def __init__(self) -> None:
        super().__init__()
        hertz = np.arange(BINS) * RATE / POINTS
        omega = 2 * np.pi * hertz / SOURCE
        warped = omega + 2 * np.arctan2(WARP * np.sin(omega), 1 - WARP * np.cos(omega))
        orders = np.arange(features.ORDER)[:, None]
        self.put("real", np.cos(orders * warped))
        self.put("imaginary", -np.sin(orders * warped))
        self.put("fade", -FADE * np.maximum(0, (hertz - SOURCE / 2) / (RATE / 2 - SOURCE / 2)))
        self.put("bands", _bands(hertz))
        self.put("window", np.hanning(SPAN + 1)[:-1] / 1.5)
        self.put("cosine", np.cos(2 * np.pi * np.arange(POINTS) / POINTS))
        self.put("sine", np.sin(2 * np.pi * np.arange(POINTS) / POINTS))
        weights = np.full(BINS, 2 / POINTS)
        weights[[0, -1]] /= 2
        self.put("weights", weights)
        generator = np.random.default_rng(24_000)
        self.put("loudness", generator.standard_normal(NOISE[0]))
        self.put("signs", generator.choice([-1.0, 1.0], NOISE[1]))

    def put(self, name: str, values: np.ndarray) -> None:
        """Keep a constant."""
        self.register_buffer(name, torch.tensor(values, dtype=torch.float32), persistent=False)

    def forward(self, rows: Tensor, heard: Tensor) -> Tensor:
        """Rows (frames, WIDTH) and how much is heard of each frame (frames) to samples (frames * HOP), below 1."""
        voiced = rows[:, features.VOICED]
        shares = (rows[:, features.STRENGTHS] * voiced) @ self.bands
        pulses = self.framed(self.pulses(rows[:, features.PITCH].exp()))
        noise = self.framed(self.noise(rows[:, 0]))
        places = torch.arange(BINS)[:, None] * torch.arange(POINTS) % POINTS
        cosines, sines = self.cosine[places], self.sine[places]
        analysis = cosines[:, :SPAN].T, sines[:, :SPAN].T
        a, b = (shares * (pulses @ part) + (1 - shares) * (noise @ part) for part in analysis)
        cepstrum = rows[:, features.CEPSTRUM]
        size = (cepstrum @ self.real + self.fade).exp() * self.weights * heard[:, None]
        angle = cepstrum @ self.imaginary
        c, d = size * angle.cos(), size * angle.sin()
        filtered = (a * c + b * d) @ cosines + (b * c - a * d) @ sines
        return _limited(_added(filtered))

    def pulses(self, pitch: Tensor) -> Tensor:
        """A pulse a period, of harmonics below `TOP`, at the power of the noise: (frames, HOP) for (frames, 1) Hz."""
        after = torch.cat([pitch[1:], pitch[-1:]])
        turns = ((pitch + after).double() * (HOP / 2 / RATE)).cumsum(0)
        start = torch.cat([torch.zeros_like(turns[:1]), turns[:-1]])
        start = (start - start.floor()).float()
        times = torch.arange(HOP) / RATE
        phase = start + pitch * times + (after - pitch) * times * times * (RATE / HOP / 2)
        phase = phase - (phase + 0.5).floor()
        harmonics = (TOP / torch.maximum(pitch, after)).floor()
        below = (math.pi * phase).sin()
        apart = below.abs() > 1e-5
        ratio = ((2 * harmonics + 1) * math.pi * phase).sin() / torch.where(apart, below, torch.ones_like(below))
        sum_of_cosines = torch.where(apart, ratio, 2 * harmonics + 1) - 1
        return sum_of_cosines * (pitch / RATE).sqrt()

    def noise(self, like: Tensor) -> Tensor:
        """Noise of variance 1 for as many frames as `like` has: (frames, HOP)."""
        places = (torch.ones_like(like).long().cumsum(0) - 1)[:, None] * HOP + torch.arange(HOP)
        return self.loudness[places % NOISE[0]] * self.signs[places % NOISE[1]]

    def framed(self, samples: Tensor) -> Tensor:
        """Windows of three frames around each frame: (frames, HOP) to (frames, SPAN)."""
        edge = torch.zeros(1, HOP)
        padded = torch.cat([edge, samples, edge])
        return torch.cat([padded[:-2], padded[1:-1], padded[2:]], 1) * self.window


def _bands(hertz: np.ndarray) -> np.ndarray:
    """How much of each band's strength a frequency takes, straight lines of 400 Hz between the bands: (bands, bins)."""
    places = [0.0, *(edge + side for edge in EDGES for side in (-200.0, 200.0)), 12_000.0]
    return np.array(
        [np.interp(hertz, places, [float(place // 2 == band) for place in range(2 * BANDS)]) for band in range(BANDS)]
    )


def _added(windows: Tensor) -> Tensor:
    """Overlap and add: (frames, POINTS) to (frames * HOP). A window begins a frame before its own."""
    blocks = POINTS // HOP
    total = None
    for block in range(blocks):
        part = windows[:, block * HOP : (block + 1) * HOP]
        shift = block - 1
        if shift < 0:
            part = torch.cat([part[1:], torch.zeros(1, HOP)])
        elif shift > 0:
            part = torch.cat([torch.zeros(shift, HOP), part])[: windows.shape[0]]
        total = part if total is None else total + part
    assert total is not None
    return total.reshape(-1)


def _limited(samples: Tensor) -> Tensor:
    """Bent below 1: half of full scale stays within two per cent."""
    square = samples * samples
    return samples * (1 + square * square) ** -0.25 * 0.98
