"""The arrays llama.cpp reads a step from, filled without a Python object for each token."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.abc import Chunk
from sauropod.backends.llama_cpp.library import library

__all__ = ["Batch"]


@attrs.define(eq=False)
class Batch:
    """A `llama_batch` over numpy arrays, made once and filled for every step."""

    capacity: int
    native: Any = attrs.field(init=False)
    _token: NDArray[np.int32] = attrs.field(init=False)
    _position: NDArray[np.int32] = attrs.field(init=False)
    _output: NDArray[np.int8] = attrs.field(init=False)
    _slot: NDArray[np.int32] = attrs.field(init=False)
    _fixed: tuple[NDArray[Any], ...] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._token, self._position, self._slot = (np.zeros(self.capacity, dtype=np.int32) for _ in range(3))
        self._output = np.zeros(self.capacity, dtype=np.int8)
        slots_of_each = np.ones(self.capacity, dtype=np.int32)
        addresses = self._slot.ctypes.data + self._slot.itemsize * np.arange(self.capacity, dtype=np.uintp)
        self._fixed = (slots_of_each, addresses)  # the library reads them where they lie
        lib = library()
        int32 = ctypes.POINTER(ctypes.c_int32)
        self.native = lib.llama_batch(
            n_tokens=0,
            token=self._token.ctypes.data_as(int32),
            embd=None,
            pos=self._position.ctypes.data_as(int32),
            n_seq_id=slots_of_each.ctypes.data_as(int32),
            seq_id=addresses.ctypes.data_as(ctypes.POINTER(int32)),
            logits=self._output.ctypes.data_as(ctypes.POINTER(ctypes.c_int8)),
        )

    def fill(self, chunks: Sequence[Chunk], *, output_all: bool = False) -> list[int]:
        """Write the chunks one after another. The index of each chunk's last token, where its logits will be."""
        begin = 0
        last = []
        for chunk in chunks:
            end = begin + len(chunk.tokens)
            self._token[begin:end] = chunk.tokens
            self._position[begin:end] = np.arange(chunk.start, chunk.start + len(chunk.tokens))
            self._slot[begin:end] = chunk.slot
            self._output[begin:end] = output_all
            self._output[end - 1] = chunk.sample or output_all
            last.append(end - 1)
            begin = end
        self.native.n_tokens = begin
        return last
