"""Small random voice detectors: MarbleNet in both of its exports, and Silero."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from sauropod.testing.models.speech.features import log_mel
from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["MarbleNetLayout", "tiny_marblenet", "tiny_silero"]

MarbleNetLayout: TypeAlias = Literal["softmax", "logits"]

GRAPH = "frame_vad_multilingual_marblenet_v2.0.onnx"
MEMORY = 128


def tiny_marblenet(
    directory: str | PathLike[str],
    *,
    layout: MarbleNetLayout = "softmax",
    seed: int = 0,
    mels: int = 80,
    width: int = 24,
    reach: int = 1,
) -> Path:
    """Write a detector that takes nonsense for speech, but depends on all that its real kin sees. Gives `directory`.

    `layout="softmax"` has `preprocessor.onnx` beside it and gives probabilities; `"logits"` is NVIDIA's own, alone, and
    gives two classes. A frame depends on `reach` frames to either side, and a little more. Needs the package `onnx`.
    """
    root = Path(directory)
    root.mkdir(parents=True, exist_ok=True)
    if layout == "softmax":
        log_mel(mels, normalised=False).write(root / "preprocessor.onnx")
    draw = Drawing("marblenet", seed)
    signal = draw.input("processed_signal", np.float32, "batch", mels, "features")
    length = draw.input("processed_signal_length", np.int64, "batch")
    scaled = draw.add("Div", draw.add("Add", signal, _number(draw, 8.0)), _number(draw, 4.0))
    value = draw.masked(scaled, length)
    value = draw.add("Conv", value, draw.normal(mels, 1, 11, deviation=0.3), strides=[2], pads=[5, 5], group=mels)
    value = draw.add("Tanh", draw.add("Conv", value, draw.normal(width, mels, 1, deviation=2 / np.sqrt(mels))))
    near = draw.normal(width, 1, 2 * reach + 1, deviation=1 / np.sqrt(2 * reach + 1))
    value = draw.add("Conv", value, near, pads=[reach, reach], group=width)
    classes = 1 if layout == "softmax" else 2
    value = draw.add("Conv", value, draw.normal(classes, width, 1, deviation=4 / np.sqrt(width)))
    value = draw.add("Transpose", draw.add("Sigmoid", value) if classes == 1 else value, perm=[0, 2, 1])
    draw.output("softmax_output" if classes == 1 else "logits", value, np.float32, "batch", "frames", classes)
    draw.write(root / GRAPH)
    return root


def tiny_silero(
    path: str | PathLike[str], *, seed: int = 0, rate: Literal[16_000, 8_000] = 16_000, with_rate: bool = True
) -> Path:
    """Write a recurrent detector in the contract of Silero VAD v5: what it says depends on all it has heard so far.

    Unlike the real one it takes a single `rate`. Without `with_rate` it has no input `sr`, as some exports. Needs the
    package `onnx`.
    """
    draw = Drawing("silero", seed)
    size = 9 * rate // 250
    chunk = draw.input("input", np.float32, "batch", size)
    state = draw.input("state", np.float32, 2, "batch", MEMORY)
    if with_rate:
        draw.input("sr", np.int64)
    hidden, cell = (draw.add("Squeeze", each, draw.integers(0)) for each in draw.several("Split", 2, state, axis=0))
    heard = draw.linear(chunk, size, MEMORY, gain=12.0)
    hidden = draw.add("Tanh", draw.add("Add", heard, draw.linear(hidden, MEMORY, MEMORY)))
    cell = draw.add("Mul", draw.add("Add", cell, hidden), _number(draw, 0.7))
    draw.output("output", draw.add("Sigmoid", draw.linear(cell, MEMORY, 1, gain=3.0)), np.float32, "batch", 1)
    after = [draw.add("Unsqueeze", each, draw.integers(0)) for each in (hidden, cell)]
    draw.output("stateN", draw.add("Concat", *after, axis=0), np.float32, 2, "batch", MEMORY)
    return draw.write(path)


def _number(draw: Drawing, value: float) -> str:
    return draw.constant(np.asarray(value, np.float32))
