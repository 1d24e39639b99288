"""A small codec with SNAC's contract and its receptive field: the same convolutions over fewer channels."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["tiny_snac"]

CODES = 4096
RATIOS = (1, 2, 4)
STRIDES = (8, 8, 4, 2)
DILATIONS = (1, 3, 9)
CHANNELS = 8


def tiny_snac(
    directory: str | PathLike[str], *, seed: int = 0, noise: float = 0.0, batch: int | str = "batch", suffix: str = ""
) -> Path:
    """Write `onnx/decoder_model{suffix}.onnx`, 500 kB. Gives the directory back.

    `audio_codes.0`, `.1`, `.2` int64 [B, n], [B, 2n], [B, 4n] → `audio_values` float32 [B, 1, 2048·n]. With `noise`,
    some is added after each upsampling, other noise in every run, as the real decoder does where it is exported whole.
    """
    drawing = Drawing("tiny snac", seed)
    value = _embedded(drawing, batch)
    value = _convolved(drawing, value, 7, 1)
    for stride in STRIDES:
        value = _upsampled(drawing, value, stride, noise)
        for dilation in DILATIONS:
            value = drawing.add("Add", value, _convolved(drawing, drawing.add("Sin", value), 7, dilation))
    weights = drawing.normal(1, CHANNELS, 7, deviation=0.3 / np.sqrt(7 * CHANNELS))
    samples = drawing.add("Tanh", drawing.add("Conv", value, weights, pads=[3, 3]))
    drawing.output("audio_values", samples, np.float32, batch, 1, "samples")
    root = Path(directory)
    drawing.write(root / "onnx" / f"decoder_model{suffix}.onnx")
    (root / "config.json").write_text('{"model_type": "snac"}', encoding="utf-8")
    return root


def _embedded(drawing: Drawing, batch: int | str) -> str:
    """The sum over the levels, each repeated to be as long as the finest: float32 [B, channels, 4n]."""
    total = ""
    for level, ratio in enumerate(RATIOS):
        codes = drawing.input(f"audio_codes.{level}", np.int64, batch, f"codes.{level}")
        rows = drawing.add("Gather", drawing.normal(CODES, CHANNELS, deviation=0.6), codes)
        apart = drawing.add("Unsqueeze", rows, drawing.integers(2))
        times = drawing.add("Tile", apart, drawing.integers(1, 1, RATIOS[-1] // ratio, 1))
        value = drawing.add("Reshape", times, drawing.integers(0, -1, CHANNELS))
        total = drawing.add("Add", total, value) if total else value
    return drawing.add("Transpose", total, perm=[0, 2, 1])


def _convolved(drawing: Drawing, value: str, kernel: int, dilation: int) -> str:
    """Each channel by itself, as in the real one."""
    weights = drawing.normal(CHANNELS, 1, kernel, deviation=0.7 / np.sqrt(kernel))
    pad = (kernel - 1) * dilation // 2
    return drawing.add("Conv", value, weights, pads=[pad, pad], dilations=[dilation], group=CHANNELS)


def _upsampled(drawing: Drawing, value: str, stride: int, noise: float) -> str:
    weights = drawing.normal(CHANNELS, CHANNELS, 2 * stride, deviation=0.6 / np.sqrt(2 * CHANNELS))
    pad = stride // 2
    grown = drawing.add("ConvTranspose", drawing.add("Sin", value), weights, strides=[stride], pads=[pad, pad])
    if not noise:
        return grown
    drawn = drawing.add("RandomNormalLike", grown, scale=noise)
    return drawing.add("Add", grown, drawn)
