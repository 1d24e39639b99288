"""Blocks of a conformer with random weights: what makes an encoder cost as much as a real one does."""

from __future__ import annotations

import numpy as np

from sauropod.testing.models.speech.graphs import Drawing

__all__ = ["conformer"]

HEADS = 8
KERNEL = 9
FAR = -1e9
"""Added to the scores of frames that do not count."""


def conformer(draw: Drawing, value: str, lengths: str, width: int, layers: int) -> str:
    """So many blocks over float32 [batch, width, frames], of which `lengths` int64 [batch] say how many frames count.

    A block is that of Gulati et al. 2020 (two halves of a feed-forward, attention, a convolution), with plain attention
    instead of that by distance. Frames that count do not depend on those that do not.
    """
    value = draw.add("Transpose", value, perm=[0, 2, 1])
    hidden = _mask(draw, value, lengths)
    for _ in range(layers):
        value = _plus(draw, value, _feed_forward(draw, value, width), 0.5)
        value = _plus(draw, value, _attention(draw, value, hidden, width))
        value = _plus(draw, value, _convolution(draw, value, lengths, width))
        value = _plus(draw, value, _feed_forward(draw, value, width), 0.5)
        value = _normed(draw, value, width)
    return draw.add("Transpose", value, perm=[0, 2, 1])


def _feed_forward(draw: Drawing, value: str, width: int) -> str:
    wide = draw.linear(_normed(draw, value, width), width, 4 * width)
    return draw.linear(_swish(draw, wide), 4 * width, width)


def _attention(draw: Drawing, value: str, hidden: str, width: int) -> str:
    value = _normed(draw, value, width)
    shape = draw.integers(0, -1, HEADS, width // HEADS)
    query, key, told = (
        draw.add("Transpose", draw.add("Reshape", draw.linear(value, width, width), shape), perm=perm)
        for perm in ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3])
    )
    scores = draw.add("Div", draw.add("MatMul", query, key), _number(draw, np.sqrt(width / HEADS)))
    shares = draw.add("Softmax", draw.add("Add", scores, hidden), axis=-1)
    seen = draw.add("Transpose", draw.add("MatMul", shares, told), perm=[0, 2, 1, 3])
    return draw.linear(draw.add("Reshape", seen, draw.integers(0, -1, width)), width, width)


def _convolution(draw: Drawing, value: str, lengths: str, width: int) -> str:
    both = draw.linear(_normed(draw, value, width), width, 2 * width)
    kept, gate = draw.several("Split", 2, both, axis=2)
    gated = draw.add("Mul", kept, draw.add("Sigmoid", gate))
    gated = draw.masked(draw.add("Transpose", gated, perm=[0, 2, 1]), lengths)
    near = draw.normal(width, 1, KERNEL, deviation=1 / np.sqrt(KERNEL))
    around = draw.add("Conv", gated, near, pads=[KERNEL // 2, KERNEL // 2], group=width)
    around = draw.add("Transpose", around, perm=[0, 2, 1])
    return draw.linear(_swish(draw, _normed(draw, around, width)), width, width)


def _mask(draw: Drawing, value: str, lengths: str) -> str:
    """What is added to scores of attention: float32 [batch, 1, 1, frames]."""
    size = draw.add("Gather", draw.add("Shape", value), draw.constant(np.asarray(1, np.int64)))
    zero, one = (draw.constant(np.asarray(each, np.int64)) for each in (0, 1))
    outside = draw.add(
        "GreaterOrEqual", draw.add("Range", zero, size, one), draw.add("Unsqueeze", lengths, draw.integers(1))
    )
    far = draw.add("Mul", draw.add("Cast", outside, to=1), _number(draw, FAR))
    return draw.add("Unsqueeze", far, draw.integers(1, 2))


def _normed(draw: Drawing, value: str, width: int) -> str:
    return draw.add("LayerNormalization", value, draw.constant(np.ones(width, np.float32)), axis=-1)


def _swish(draw: Drawing, value: str) -> str:
    return draw.add("Mul", value, draw.add("Sigmoid", value))


def _plus(draw: Drawing, value: str, more: str, share: float = 1.0) -> str:
    return draw.add("Add", value, more if share == 1 else draw.add("Mul", more, _number(draw, share)))


def _number(draw: Drawing, value: float) -> str:
    return draw.constant(np.asarray(value, np.float32))
