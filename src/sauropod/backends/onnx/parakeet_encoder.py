"""Parakeet's encoder: clips of about the same length go through it together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.backends.onnx.bucketing import buckets
from sauropod.backends.onnx.providers import Graph

__all__ = ["Encoder"]


@attrs.define(eq=False)
class Encoder:
    """`audio_signal` [B, mels, T] and `length` [B] to `outputs` [B, width, T/8] and `encoded_lengths` [B]."""

    graph: Graph
    most: int = 8
    """How many clips go through at once at most."""

    def __attrs_post_init__(self) -> None:
        """Raises `UnsupportedModel` if the graph is no encoder."""
        self.graph.require(("audio_signal", "length"), ("outputs", "encoded_lengths"))

    @property
    def mels(self) -> int | None:
        """How many features a frame has; None where the graph does not say."""
        size = self.graph.inputs["audio_signal"].shape[1]
        return size if isinstance(size, int) else None

    def encode(self, features: Sequence[NDArray[np.float32]]) -> list[NDArray[Any]]:
        """What each clip's features, [mels, T], come to: [width, T/8], in their order."""
        encoded: list[NDArray[Any] | None] = [None] * len(features)
        for bucket in buckets([each.shape[1] for each in features], self.most):
            for index, result in zip(bucket, self._together([features[each] for each in bucket]), strict=True):
                encoded[index] = result
        return [each for each in encoded if each is not None]

    def _together(self, features: Sequence[NDArray[np.float32]]) -> list[NDArray[Any]]:
        lengths = np.asarray([each.shape[1] for each in features], self.graph.kind("length"))
        # NeMo's features have one frame more than count, which is zero
        shape = (len(features), features[0].shape[0], int(lengths.max()) + 1)
        signal = np.zeros(shape, self.graph.kind("audio_signal"))
        for row, each in zip(signal, features, strict=True):
            row[:, : each.shape[1]] = each
        outputs, encoded = self.graph.run(("outputs", "encoded_lengths"), {"audio_signal": signal, "length": lengths})
        return [row[:, : int(length)] for row, length in zip(outputs, encoded, strict=True)]
