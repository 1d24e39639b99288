"""A small random turn detector in the contract of Smart Turn v3."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import numpy as np

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["tiny_smart_turn"]

MELS, FRAMES = 80, 800


def tiny_smart_turn(path: str | PathLike[str], *, seed: int = 0, width: int = 16) -> Path:
    """Write a graph whose probability depends on every feature, the last ones most. Needs the package `onnx`."""
    draw = Drawing("smart turn", seed)
    features = draw.input("input_features", np.float32, "batch", MELS, FRAMES)
    states = draw.add("Conv", features, draw.normal(width, MELS, 4, deviation=1.5 / np.sqrt(4 * MELS)), strides=[4])
    late = np.geomspace(0.01, 1, FRAMES // 4).astype(np.float32)
    pooled = draw.add("MatMul", draw.add("Tanh", states), draw.constant(late[:, None] / late.sum()))
    score = draw.linear(draw.add("Squeeze", pooled, draw.integers(2)), width, 1, gain=8.0)
    draw.output("logits", draw.add("Sigmoid", score), np.float32, "batch", 1)
    return draw.write(path)
