"""Models that read a whole text at once and give vectors or scores: BERT's architecture."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path
from typing import Unpack

import numpy as np

from sauropod.testing.models.draft import Draft
from sauropod.testing.models.recipe import ModelOptions, Recipe

__all__ = ["tiny_embedding", "tiny_reranker"]


def tiny_embedding(
    path: str | PathLike[str], *, layers: int = 2, heads: int = 2, **options: Unpack[ModelOptions]
) -> Path:
    """Write an encoder that gives vectors of length `width` (`bert`), pooled by `"mean"` unless told otherwise.

    Its tokenizer is `"wpm"` unless told otherwise. Texts that differ in a word give different vectors. A position
    beyond `context_length` makes llama.cpp abort the process.
    """
    recipe = _recipe(options)
    return _encoder(recipe, layers, heads).write(path, seed=recipe.seed)


def tiny_reranker(
    path: str | PathLike[str], *, layers: int = 2, heads: int = 2, **options: Unpack[ModelOptions]
) -> Path:
    """Write an encoder with a head that scores a query beside a document (`bert`, pooling `"rank"`).

    The score is one number with no bounds, some units large.
    """
    options["pooling"] = "rank"
    recipe = _recipe(options)
    draft = _encoder(recipe, layers, heads)
    draft.matrix("cls.weight", recipe.width, recipe.width)
    draft.vector("cls.bias", np.zeros(recipe.width, np.float32))
    draft.matrix("cls.output.weight", 1, recipe.width, gain=4.0)
    draft.vector("cls.output.bias", np.zeros(1, np.float32))
    return draft.write(path, seed=recipe.seed)


def _recipe(options: ModelOptions) -> Recipe:
    options.setdefault("tokenizer", "wpm")
    options.setdefault("pooling", "mean")
    return Recipe(**options)


def _encoder(recipe: Recipe, layers: int, heads: int) -> Draft:
    if layers < 1 or heads < 1 or recipe.width % heads:
        raise ValueError(f"A width of {recipe.width} cannot be split among {heads} heads in {layers} layers.")
    tokenizer = recipe.vocabulary_of()
    draft = recipe.start("bert", tokenizer)
    draft.metadata["tokenizer.ggml.token_type_count"] = 2
    draft.describe(
        {
            "block_count": layers,
            "feed_forward_length": 2 * recipe.width,
            "attention.head_count": heads,
            "attention.causal": False,
            "attention.layer_norm_epsilon": 1e-12,
        }
    )
    draft.matrix("token_embd.weight", recipe.vocabulary, recipe.width, gain=math.sqrt(recipe.width))
    draft.kernel("position_embd.weight", recipe.context_length, recipe.width)
    draft.kernel("token_types.weight", 2, recipe.width)
    _norm(draft, "token_embd_norm", recipe.width)
    for index in range(layers):
        _block(draft, f"blk.{index}", recipe.width)
    draft.metadata.update(recipe.metadata)
    return draft


def _block(draft: Draft, block: str, width: int) -> None:
    sharp = 3.0  # else every token looks at all others alike, and all texts give the same vector
    _linear(draft, f"{block}.attn_q", width, width, gain=sharp)
    _linear(draft, f"{block}.attn_k", width, width)
    _linear(draft, f"{block}.attn_v", width, width)
    _linear(draft, f"{block}.attn_output", width, width)
    _norm(draft, f"{block}.attn_output_norm", width)
    _linear(draft, f"{block}.ffn_up", 2 * width, width)
    _linear(draft, f"{block}.ffn_down", width, 2 * width, gain=2.0)
    _norm(draft, f"{block}.layer_output_norm", width)


def _linear(draft: Draft, name: str, outputs: int, inputs: int, *, gain: float = 1.0) -> None:
    draft.matrix(f"{name}.weight", outputs, inputs, gain=gain)
    draft.vector(f"{name}.bias", np.zeros(outputs, np.float32))


def _norm(draft: Draft, name: str, width: int) -> None:
    draft.vector(f"{name}.weight", np.ones(width, np.float32))
    draft.vector(f"{name}.bias", np.zeros(width, np.float32))
