"""llama-cpp-python's own `Llama` as a peer: always there, and serves one request at a time."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Any, Self

import anyio
import anyio.to_thread
import attrs

from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Reading

__all__ = ["Bindings"]


@attrs.define(eq=False)
class Bindings:
    """`llama_cpp.Llama` in a thread of this process. It does not tell how much of a prompt it had computed before."""

    setup: Setup
    serving: Serving
    name: str = "llama_cpp.Llama"
    _llama: Any = None
    _turn: anyio.Lock = attrs.field(factory=anyio.Lock)

    async def __aenter__(self) -> Self:
        os.environ.setdefault("GOMP_SPINCOUNT", "10000")  # it shares the cores with whoever reads its answers
        import llama_cpp

        self._llama = llama_cpp.Llama(
            str(self.setup.model),
            n_ctx=self.serving.context,
            n_batch=self.setup.step_tokens,
            n_threads=self.setup.threads,
            n_threads_batch=self.setup.threads,
            verbose=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        self._llama.close()

    async def ask(self, ask: Ask) -> Reading:
        begin = time.perf_counter()
        async with self._turn:
            return await anyio.to_thread.run_sync(partial(self._answer, ask, begin))

    def _answer(self, ask: Ask, begin: float) -> Reading:
        text: list[str] = []
        arrivals: list[float] = []
        held = {"type": "json_object", "schema": ask.schema} if ask.schema is not None else None
        endless = {self._llama.token_eos(): -1e9} if held is None else {}
        for event in self._llama.create_chat_completion(
            [{"role": role, "content": said} for role, said in ask.messages],
            max_tokens=ask.tokens,
            temperature=0,
            stream=True,
            response_format=held,
            logit_bias={str(token): bias for token, bias in {**ask.bias, **endless}.items()},
        ):
            piece = event["choices"][0]["delta"].get("content")
            if piece:
                arrivals.append(time.perf_counter() - begin)
                text.append(piece)
        said = "".join(text)
        written = ask.tokens if held is None else len(self._llama.tokenize(said.encode(), add_bos=False))
        return Reading(said, arrivals, self._llama.n_tokens - written + 1, 0, written).checked(ask.exactly)
