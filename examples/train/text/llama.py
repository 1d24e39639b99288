"""Speaker: a GGUF file asked greedily through llama-cpp-python, with the template it carries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from llama_cpp import Llama
from numpy.typing import NDArray

from . import template
from .values import Json


class Speaker:
    """One loaded model."""

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.model = Llama(
            str(path), n_ctx=0, n_threads=threads, n_threads_batch=threads, verbose=False, logits_all=True
        )
        self.chat = template.compiled(self.model.metadata["tokenizer.chat_template"])

    def tokens(self, text: str) -> list[int]:
        """`text` as tokens, marks included."""
        return list(self.model.tokenize(text.encode(), add_bos=False, special=True))

    def scores(self, tokens: Sequence[int]) -> NDArray[np.float32]:
        """The scores after every one of `tokens`: (tokens, vocabulary)."""
        self.model.n_tokens = 0
        self.model.eval(tokens)
        return np.array(self.model.scores[: len(tokens)], dtype=np.float32)

    def ask(
        self, messages: Sequence[Mapping[str, object]], tools: Sequence[Mapping[str, Json]], limit: int = 256
    ) -> str:
        """The model's answer, word for word."""
        prompt = self.chat.render(messages=messages, tools=tools or None, add_generation_prompt=True)
        answer: list[int] = []
        for token in self.model.generate(self.tokens(prompt), temp=0.0, repeat_penalty=1.0):
            if token == self.model.token_eos() or len(answer) >= limit:
                break
            answer.append(token)
        return str(self.model.detokenize(answer).decode("utf-8", "replace"))
