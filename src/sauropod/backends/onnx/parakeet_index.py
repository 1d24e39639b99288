"""The decoder that chooses a token itself: `decoder.onnx` of `sauropod/parakeet-tdt-0.6b-v2`.

It is given a whole utterance and the index of a frame, and tells the token that comes there; no duration and no score.
So utterances are decoded one by one, frame by frame, as an RNN-T, and words have no confidence but 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.backends.onnx.bound import BoundRun
from sauropod.backends.onnx.providers import Graph
from sauropod.backends.onnx.tokens import Token
from sauropod.errors import BackendError, UnsupportedModel

__all__ = ["IndexedDecoder"]

STATES = ("decoder_input_states_1", "decoder_input_states_2"), ("decoder_output_states_1", "decoder_output_states_2")
INPUTS = ("encoder_outputs", "index", "decoder_targets", "decoder_target_length", *STATES[0])
OUTPUTS = ("decoder_tokens", *STATES[1])


@attrs.define(eq=False)
class IndexedDecoder:
    """The decoder of whole utterances, one at a time."""

    graph: Graph
    blank: int
    most_symbols: int = 10
    """Tokens at one frame, after which the next frame comes."""

    def __attrs_post_init__(self) -> None:
        """Raises `UnsupportedModel` if the graph is no such decoder."""
        self.graph.require(INPUTS, OUTPUTS)
        if any(not isinstance(self.graph.inputs[name].shape[axis], int) for name in STATES[0] for axis in (0, 2)):
            raise UnsupportedModel(f"{self.graph.path.name} does not say how wide its states are. Take another export.")

    def decode(self, encoded: Sequence[NDArray[Any]]) -> list[list[Token]]:
        """What is said in each utterance, given as its encoder's output [width, frames]."""
        return [self._decode(each) for each in encoded]

    def close(self) -> None:
        self.graph.close()

    def _decode(self, encoded: NDArray[Any]) -> list[Token]:
        states = [np.zeros(self._state_shape(name), self.graph.kind(name)) for name in STATES[0]]
        after = [state.copy() for state in states]
        index = np.zeros(1, self.graph.kind("index"))
        target = np.full((1, 1), self.blank, self.graph.kind("decoder_targets"))
        length = np.ones(1, self.graph.kind("decoder_target_length"))
        chosen = np.zeros((1, 1, 1), self.graph.kind("decoder_tokens"))
        whole = np.ascontiguousarray(encoded[None], self.graph.kind("encoder_outputs"))
        given = dict(zip(INPUTS, (whole, index, target, length, *states), strict=True))
        bound = BoundRun(self.graph, given, dict(zip(OUTPUTS, (chosen, *after), strict=True)))
        said: list[Token] = []
        for frame in range(encoded.shape[1]):
            index[0] = frame
            for _ in range(self.most_symbols):
                bound.run()
                token = int(chosen[0, 0, 0])
                if token == self.blank:
                    break
                if not 0 <= token < self.blank:
                    raise BackendError(
                        f"{self.graph.path.name} said token {token}, which its vocabulary does not have."
                    )
                said.append(Token(token, frame, None))
                target[0, 0] = token
                for before, now in zip(states, after, strict=True):
                    before[:] = now
        return said

    def _state_shape(self, name: str) -> tuple[int, int, int]:
        layers, _, hidden = self.graph.inputs[name].shape
        return layers, 1, hidden
