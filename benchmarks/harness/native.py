"""llama-cpp-python's low-level functions, loaded as our worker loads them, and silent."""

from __future__ import annotations

import ctypes
import functools
import os
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

__all__ = ["Model", "address", "native"]


@functools.cache
def native() -> Any:
    """The module of C functions, initialised."""
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    from llama_cpp import llama_cpp

    lib: Any = llama_cpp
    lib.llama_log_set(_silence(), ctypes.c_void_p(0))
    lib.llama_backend_init()
    return lib


@functools.cache
def _silence() -> Any:
    """A log that writes nothing. Kept, because the library keeps no more than its address."""
    from llama_cpp import llama_cpp

    lib: Any = llama_cpp
    return lib.llama_log_callback(lambda *_: None)


@attrs.define(eq=False)
class Model:
    """A model file that has been read, or only its tokenizer."""

    path: Path
    only_vocabulary: bool = False
    pointer: Any = attrs.field(init=False)
    vocabulary: Any = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        lib = native()
        params = lib.llama_model_default_params()
        params.vocab_only = self.only_vocabulary
        self.pointer = lib.llama_model_load_from_file(str(self.path).encode(), params)
        if not self.pointer:
            raise RuntimeError(f"llama.cpp could not load {self.path}")
        self.vocabulary = lib.llama_model_get_vocab(self.pointer)

    @property
    def tokens(self) -> int:
        """How many tokens its vocabulary has."""
        count: int = native().llama_vocab_n_tokens(self.vocabulary)
        return count

    def encode(self, text: str) -> NDArray[np.int32]:
        data = text.encode()
        tokens = np.empty(len(data) + 8, np.int32)
        count = native().llama_tokenize(self.vocabulary, data, len(data), address(tokens), len(tokens), False, True)
        return tokens[:count].copy()

    def piece(self, token: int) -> bytes:
        buffer = ctypes.create_string_buffer(64)
        count = native().llama_token_to_piece(self.vocabulary, token, buffer, 64, 0, False)
        return buffer.raw[:count]

    def context(self, **options: Any) -> Any:
        """A context with these fields of `llama_context_params`."""
        params = native().llama_context_default_params()
        for name, value in {"no_perf": True, **options}.items():
            setattr(params, name, value)
        return native().llama_init_from_model(self.pointer, params)

    def close(self) -> None:
        native().llama_model_free(self.pointer)


def address(tokens: NDArray[np.int32]) -> Any:
    return tokens.ctypes.data_as(ctypes.POINTER(ctypes.c_int32))
