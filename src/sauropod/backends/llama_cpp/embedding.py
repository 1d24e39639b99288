"""Texts to vectors: a context of its own over a model's weights, made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.abc import Chunk
from sauropod.backends.llama_cpp.batch import Batch
from sauropod.backends.llama_cpp.library import library
from sauropod.errors import BackendError

__all__ = ["Embedder"]


@attrs.define(eq=False)
class Embedder:
    """Computes pooled embeddings, many inputs in one batch."""

    make_context: Callable[[], Any]
    """Makes a context that pools; every call of `embed` uses the same one."""
    longest: int
    """The most tokens of one batch, and so of one input."""
    most: int
    """The most inputs of one batch."""
    width: int
    """The length of a vector."""
    causal: bool = True
    """Whether the model is computed as a decoder; an encoder sees all tokens at once and has no cache."""
    pools: bool = True
    """Whether the model gives one vector for an input. If not, it gives one for each token, and the last counts."""
    _context: Any = None
    _batch: Batch | None = None

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """One vector for each input: float32 [inputs, width]."""
        vectors = [self._compute(group) for group in self._groups(inputs)]
        return np.concatenate(vectors) if vectors else np.empty((0, self.width), dtype=np.float32)

    def close(self) -> None:
        if self._context is not None:
            library().llama_free(self._context)
            self._context = None

    def _groups(self, inputs: Sequence[Sequence[int]]) -> list[list[Sequence[int]]]:
        """The inputs in batches that fit, in their order."""
        groups: list[list[Sequence[int]]] = []
        room = 0
        for tokens in inputs:
            if not groups or len(tokens) > room or len(groups[-1]) == self.most:
                groups.append([])
                room = self.longest
            groups[-1].append(tokens)
            room -= len(tokens)
        return groups

    def _compute(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        lib = library()
        if self._context is None or self._batch is None:
            self._context, self._batch = self.make_context(), Batch(self.longest)
        chunks = [Chunk(slot, 0, tokens, True) for slot, tokens in enumerate(inputs)]
        last = self._batch.fill(chunks, output_all=True)
        if self.causal:
            lib.llama_memory_clear(lib.llama_get_memory(self._context), False)
            result = lib.llama_decode(self._context, self._batch.native)
        else:
            result = lib.llama_encode(self._context, self._batch.native)
        if result != 0:
            raise BackendError(f"llama.cpp could not compute embeddings (it gave {result}).")
        return np.stack([self._vector(slot, index) for slot, index in enumerate(last)])

    def _vector(self, slot: int, index: int) -> NDArray[np.float32]:
        lib = library()
        pointer = (
            lib.llama_get_embeddings_seq(self._context, slot)
            if self.pools
            else lib.llama_get_embeddings_ith(self._context, index)
        )
        if not pointer:
            raise BackendError("llama.cpp computed no embedding for an input.")
        return np.array(np.ctypeslib.as_array(pointer, shape=(self.width,)))
