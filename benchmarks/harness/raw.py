"""The shortest loop over llama-cpp-python's low-level functions that writes a text: what there is to lose against."""

from __future__ import annotations

import codecs
import time
from typing import Any, Self

import attrs
import numpy as np
from numpy.typing import NDArray

from benchmarks.harness.native import Model, address, native
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Reading

__all__ = ["RawLoop"]


@attrs.define(eq=False)
class RawLoop:
    """One model, one context, one sequence at a time, greedy."""

    setup: Setup
    serving: Serving
    _model: Model = attrs.field(init=False)
    _context: Any = attrs.field(init=False)

    async def __aenter__(self) -> Self:
        self._model = Model(self.setup.model)
        self._context = self._model.context(
            n_ctx=self.serving.context,
            n_batch=self.setup.step_tokens,
            n_threads=self.setup.threads,
            n_threads_batch=self.setup.threads,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        native().llama_free(self._context)
        self._model.close()

    async def go_on(self, text: str, tokens: int) -> Reading:
        """What comes after `text`, so many tokens of it. Nothing else runs meanwhile."""
        begin = time.perf_counter()
        native().llama_memory_clear(native().llama_get_memory(self._context), False)
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        pending = prompt = self._model.encode(text)
        pieces: list[str] = []
        arrivals: list[float] = []
        for _ in range(tokens):
            for start in range(0, len(pending), self.setup.step_tokens):
                self._decode(pending[start : start + self.setup.step_tokens])
            pending = np.array([self._choose()], np.int32)
            pieces.append(decoder.decode(self._model.piece(int(pending[0]))))
            arrivals.append(time.perf_counter() - begin)
        return Reading("".join(pieces), arrivals, len(prompt), 0, tokens).checked(tokens)

    def _decode(self, tokens: NDArray[np.int32]) -> None:
        batch = native().llama_batch_get_one(address(tokens), len(tokens))
        if native().llama_decode(self._context, batch) != 0:
            raise RuntimeError("llama_decode failed")

    def _choose(self) -> int:
        logits = native().llama_get_logits_ith(self._context, -1)
        return int(np.ctypeslib.as_array(logits, shape=(self._model.tokens,)).argmax())
