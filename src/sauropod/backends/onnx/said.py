"""What is said, gathered while it is decoded."""

from __future__ import annotations

from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.backends.onnx.tokens import Token
from sauropod.errors import BackendError

__all__ = ["Said"]

TOGETHER = 256
"""Tokens whose confidences are computed at once."""


@attrs.define(eq=False)
class Said:
    """Tokens of some utterances, step by step. Scores become confidences many at a time, which is cheaper."""

    name: str
    utterances: int
    _parts: list[tuple[NDArray[np.intp], ...]] = attrs.field(factory=list)
    _scores: list[NDArray[Any]] = attrs.field(factory=list)
    _confidences: list[NDArray[np.float32]] = attrs.field(factory=list)
    _waiting: int = 0

    def add(
        self,
        items: NDArray[np.intp],
        tokens: NDArray[np.intp],
        frames: NDArray[np.intp],
        lasting: NDArray[np.intp],
        scores: NDArray[Any],
    ) -> None:
        """Tokens of some utterances, and the scores of all tokens there: [tokens, vocabulary]."""
        self._parts.append((items, tokens, frames, lasting))
        self._scores.append(scores)
        self._waiting += len(tokens)
        if self._waiting >= TOGETHER:
            self._judge()

    def tokens(self) -> list[list[Token]]:
        """Of each utterance, in order."""
        self._judge()
        found: list[list[Token]] = [[] for _ in range(self.utterances)]
        if self._parts:
            columns = [np.concatenate(column).tolist() for column in zip(*self._parts, strict=True)]
            sure = np.concatenate(self._confidences).tolist()
            for item, token, frame, lasting, confidence in zip(*columns, sure, strict=True):
                found[item].append(Token(token, frame, lasting, confidence))
        return found

    def _judge(self) -> None:
        """Each token's share of the softmax over all tokens. Raises `BackendError` where scores are not numbers."""
        if not self._waiting:
            return
        scores = np.concatenate(self._scores).astype(np.float32, copy=False)
        shares = 1 / np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)
        if not np.isfinite(shares).all():
            raise BackendError(f"{self.name} gave scores that are no numbers. Its weights may be damaged.")
        self._confidences.append(shares)
        self._scores.clear()
        self._waiting = 0
