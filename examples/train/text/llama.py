"""Bindings: a GGUF file as llama-cpp-python sees it, to hold the exported file against the trained one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from llama_cpp import Llama
from numpy.typing import NDArray


class Bindings:
    """One loaded model."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.model = Llama(
            str(path), n_ctx=0, n_threads=threads, n_threads_batch=threads, verbose=False, logits_all=True
        )

    def tokens(self, text: str) -> list[int]:
        """`text` as tokens, marks included."""
        return list(self.model.tokenize(text.encode(), add_bos=False, special=True))

    def scores(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """The scores after every one of `tokens`: (tokens, vocabulary)."""
        self.model.n_tokens = 0
        self.model.eval(tokens)
        return np.array(self.model.scores[: len(tokens)], dtype=np.float32)
