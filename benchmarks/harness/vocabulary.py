"""Words that survive being written and read."""

from __future__ import annotations

from pathlib import Path

from benchmarks.harness.native import Model
from sauropod.testing.models.words import WORDS

__all__ = ["word_tokens"]


def word_tokens(path: Path, count: int = 64) -> list[int]:
    """Tokens that are a space and a common word: any row of them, written as text, is read as the same tokens."""
    model = Model(path, only_vocabulary=True)
    words = dict.fromkeys(word for word in WORDS if word.isalpha() and word.islower())
    encoded = [model.encode(f" {word}") for word in words]
    model.close()
    return [int(tokens[0]) for tokens in encoded if len(tokens) == 1][:count]
