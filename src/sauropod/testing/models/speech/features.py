"""A graph that computes log-mel features, as `preprocessor.onnx` of NeMo's exports does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["log_mel"]

RATE, WINDOW, FFT, HOP = 16_000, 400, 512, 160


def log_mel(mels: int = 128, *, normalised: bool = True) -> Drawing:
    """`audio` float32 [batch, samples] and `audio_length` int64 [batch] to `features` float32 [batch, mels, frames].

    Frames are samples // 160 + 1, and `features_lens` says of each clip how many count: samples // 160.
    """
    draw = Drawing("preprocessor")
    audio = draw.input("audio", np.float32, "batch", "samples")
    length = draw.input("audio_length", np.int64, "batch")
    power = _power(draw, audio)
    logs = draw.add(
        "Log", draw.add("Add", draw.add("MatMul", power, draw.constant(_filters(mels))), _number(draw, 2.0**-24))
    )
    value = draw.add("Transpose", logs, perm=[0, 2, 1])
    lengths = draw.add("Div", length, draw.integers(HOP))
    value = _normalised(draw, value, lengths) if normalised else draw.masked(value, lengths)
    draw.output("features", value, np.float32, "batch", mels, "frames")
    draw.output("features_lens", lengths, np.int64, "batch")
    return draw


def _power(draw: Drawing, audio: str) -> str:
    """[batch, frames, 257] of the audio after pre-emphasis."""
    padded = draw.add("Pad", audio, draw.integers(0, 1, 0, 0))
    before = draw.add("Slice", padded, draw.integers(0), draw.integers(-1), draw.integers(1))
    emphasised = draw.add("Sub", audio, draw.add("Mul", before, _number(draw, 0.97)))
    framed = draw.add("Pad", emphasised, draw.integers(0, FFT // 2, 0, FFT // 2))
    side = (FFT - WINDOW) // 2
    window = draw.constant(np.pad(np.hanning(WINDOW), side).astype(np.float32))
    hop, size = (draw.constant(np.asarray(each, np.int64)) for each in (HOP, FFT))
    spectrum = draw.add("STFT", draw.add("Unsqueeze", framed, draw.integers(2)), hop, window, size)
    return draw.add("ReduceSumSquare", spectrum, axes=[3], keepdims=0)


def _normalised(draw: Drawing, value: str, lengths: str) -> str:
    """Each mel of each clip with mean 0 and deviation 1 over the frames that count, and zeros in the others."""
    count = draw.add("Cast", draw.add("Unsqueeze", lengths, draw.integers(1, 2)), to=1)
    time = draw.integers(2)
    mean = draw.add("Div", draw.add("ReduceSum", draw.masked(value, lengths), time), count)
    centred = draw.masked(draw.add("Sub", value, mean), lengths)
    squares = draw.add("ReduceSum", draw.add("Mul", centred, centred), time)
    variance = draw.add("Div", squares, draw.add("Sub", count, _number(draw, 1.0)))
    return draw.add("Div", centred, draw.add("Add", draw.add("Sqrt", variance), _number(draw, 1e-5)))


def _number(draw: Drawing, value: float) -> str:
    return draw.constant(np.asarray(value, np.float32))


def _filters(mels: int) -> NDArray[np.float32]:
    """Slaney's triangles, drawn one by one: float32 [257, mels]."""
    step = np.log(6.4) / 27
    top = 15 + np.log(RATE / 2000) / step
    points = [mel * 200 / 3 if mel < 15 else 1000 * np.exp(step * (mel - 15)) for mel in np.linspace(0, top, mels + 2)]
    bins = np.arange(FFT // 2 + 1) * RATE / FFT
    rows = [
        np.interp(bins, points[each : each + 3], [0.0, 2 / (points[each + 2] - points[each]), 0.0])
        for each in range(mels)
    ]
    return np.asarray(rows, np.float32).T
