"""A vocoder with random weights: what makes a mouth cost as much as Kokoro does."""

from __future__ import annotations

import numpy as np

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["vocoder"]

CHANNELS = 512
STAGES = ((10, 256), (6, 128))
"""Kokoro's: each is so many times as fine as the one before, in so many channels."""
KERNELS = (3, 7, 11)
DILATIONS = (1, 3, 5)
SAMPLES = 5
"""Of a step of the last stage: 600 samples of a frame are 2 · 10 · 6 steps."""


def vocoder(draw: Drawing, symbols: str, kinds: int) -> str:
    """Noise from -1 to 1, float32 [600 · frames], of the `kinds` of symbols that the frames are of, int64 [frames].

    The stages and residual blocks are meant to be those of the iSTFTNet in Kokoro (Kaneko et al. 2022), not compared
    with its configuration, without the parts that make it a voice: style, pitch and the inverse transform.
    """
    rows = draw.add("Gather", draw.normal(kinds, CHANNELS, deviation=1.0), symbols)
    value = draw.add("Unsqueeze", draw.add("Transpose", rows, perm=[1, 0]), draw.integers(0))
    value, channels = _finer(draw, value, 2, CHANNELS, CHANNELS), CHANNELS
    for times, fewer in STAGES:
        value, channels = _finer(draw, value, times, channels, fewer), fewer
        blocks = [_block(draw, value, channels, kernel) for kernel in KERNELS]
        value = draw.add("Div", draw.add("Sum", *blocks), draw.constant(np.asarray(len(KERNELS), np.float32)))
    loud = draw.add("Tanh", _conv(draw, value, channels, SAMPLES, 7, 1))
    return draw.add("Reshape", draw.add("Transpose", loud, perm=[0, 2, 1]), draw.integers(-1))


def _finer(draw: Drawing, value: str, times: int, channels: int, fewer: int) -> str:
    weights = draw.normal(channels, fewer, 2 * times, deviation=1 / np.sqrt(2 * channels))
    return draw.add("ConvTranspose", value, weights, strides=[times], pads=[times // 2, times // 2])


def _block(draw: Drawing, value: str, channels: int, kernel: int) -> str:
    for dilation in DILATIONS:
        inner = _conv(draw, _snake(draw, value), channels, channels, kernel, dilation)
        value = draw.add("Add", value, _conv(draw, _snake(draw, inner), channels, channels, kernel, 1))
    return value


def _snake(draw: Drawing, value: str) -> str:
    """x + sin² x (Ziyin et al. 2020)."""
    sine = draw.add("Sin", value)
    return draw.add("Add", value, draw.add("Mul", sine, sine))


def _conv(draw: Drawing, value: str, channels: int, outputs: int, kernel: int, dilation: int) -> str:
    weights = draw.normal(outputs, channels, kernel, deviation=0.3 / np.sqrt(kernel * channels))
    pad = (kernel - 1) * dilation // 2
    return draw.add("Conv", value, weights, pads=[pad, pad], dilations=[dilation])
