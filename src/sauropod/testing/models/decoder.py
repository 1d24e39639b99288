"""The parts decoders share, and how their random weights come to say something.

Every layer is given numbers of variance 1 and adds numbers of variance 1 to the stream, so that what a model says
depends as much on each layer, and on tokens far back, as on the last token. Channel 0 of the stream is set apart:
layers neither read nor write it, only the output matrix looks at it. There it lifts or drowns a token whatever the
context, which keeps control tokens out of what a random model says.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from os import PathLike
from pathlib import Path

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.testing.models.draft import Draft
from sauropod.testing.models.recipe import Recipe
from sauropod.testing.models.tokenizer import Tokenizer

__all__ = ["HEAD", "Decoder"]

HEAD = 32
"""The width of an attention head: the least that lets caches be quantised."""

_SPREAD = 3.0
"""The standard deviation of the logits of tokens that are not quiet."""
_DROWNED = 30.0
"""What a quiet token's logit is lowered by."""
_STEADY = 2.0
"""The root mean square that channel 0 alone gives an embedding whose other channels have variance 1."""
_SHARP = 3.0
"""The standard deviation of attention scores: a query sees a few tokens rather than all alike."""


@attrs.define
class Decoder:
    """A decoder-only model that grows block by block.

    `scale` is what the architecture multiplies embeddings by before they enter the stream, `variance` that of the
    stream so far, channel 0 apart, in units of an embedding's.
    """

    recipe: Recipe
    tokenizer: Tokenizer
    draft: Draft
    scale: float = 1.0
    variance: float = 1.0
    block: str = ""

    @classmethod
    def begin(cls, architecture: str, recipe: Recipe, *, scale: float = 1.0) -> Decoder:
        """An empty model of an architecture llama.cpp knows by that name."""
        tokenizer = recipe.vocabulary_of()
        return cls(recipe, tokenizer, recipe.start(architecture, tokenizer), scale)

    @property
    def deviation(self) -> float:
        """The standard deviation of an embedding, as it is in the file. The output matrix has the same."""
        return _SPREAD / math.sqrt(self.recipe.width)

    def blocks(self, count: int) -> Iterator[int]:
        """Go through the blocks; what is added belongs to the current one. Raises `ValueError` without any."""
        if count < 1:
            raise ValueError(f"layers={count}: a model has at least one.")
        self.draft.describe({"block_count": count, "attention.layer_norm_rms_epsilon": 1e-6})
        for index in range(count):
            self.block = f"blk.{index}"
            yield index

    def heads(self, heads: int, key_value_heads: int) -> None:
        """Say how attention is shaped. Raises `ValueError` if the heads cannot share keys evenly."""
        if key_value_heads < 1 or heads % key_value_heads:
            raise ValueError(f"{heads} heads cannot share {key_value_heads} key and value heads evenly.")
        self.draft.describe(
            {
                "attention.head_count": heads,
                "attention.head_count_kv": key_value_heads,
                "attention.key_length": HEAD,
                "attention.value_length": HEAD,
                "rope.dimension_count": HEAD,
                "rope.freq_base": 10_000.0,
            }
        )

    def norm(self, name: str) -> None:
        """A norm in front of a layer. It hides channel 0 and gives the others variance 1."""
        self._norm(f"{self.block}.{name}", self._size, 0)

    def post_norm(self, name: str) -> None:
        """A norm behind a layer, before its result is added to the stream."""
        self._norm(f"{self.block}.{name}", self._layer, 0)

    def attention(self, heads: int, key_value_heads: int, *, query_key_norms: bool = False) -> None:
        """Attention, with norms for queries and keys where the architecture has them."""
        width, sharp = self.recipe.width, 1.0 if query_key_norms else _SHARP
        self.draft.matrix(f"{self.block}.attn_q.weight", heads * HEAD, width, gain=sharp)
        self.draft.matrix(f"{self.block}.attn_k.weight", key_value_heads * HEAD, width)
        self.draft.matrix(f"{self.block}.attn_v.weight", key_value_heads * HEAD, width)
        self.write("attn_output.weight", heads * HEAD, deviation=0.8)
        if query_key_norms:
            self.draft.vector(f"{self.block}.attn_q_norm.weight", np.full(HEAD, _SHARP, np.float32))
            self.draft.vector(f"{self.block}.attn_k_norm.weight", np.ones(HEAD, np.float32))

    def feed_forward(self, hidden: int) -> None:
        """A gated layer."""
        self.draft.matrix(f"{self.block}.ffn_gate.weight", hidden, self.recipe.width)
        self.draft.matrix(f"{self.block}.ffn_up.weight", hidden, self.recipe.width)
        self.write("ffn_down.weight", hidden, deviation=0.5)

    def experts(self, hidden: int, count: int) -> None:
        """Gated layers side by side, and what chooses among them."""
        self.draft.kernel(f"{self.block}.ffn_gate_inp.weight", count, self.recipe.width)
        self.draft.matrix(f"{self.block}.ffn_gate_exps.weight", hidden, self.recipe.width, count=count)
        self.draft.matrix(f"{self.block}.ffn_up_exps.weight", hidden, self.recipe.width, count=count)
        self.write("ffn_down_exps.weight", hidden, deviation=0.4, count=count)

    def short_convolution(self, kernel: int) -> None:
        """A gated convolution over the last `kernel` tokens, as LFM2 has it."""
        width = self.recipe.width
        self.draft.matrix(f"{self.block}.shortconv.in_proj.weight", 3 * width, width)
        self.draft.kernel(f"{self.block}.shortconv.conv.weight", width, kernel)
        self.write("shortconv.out_proj.weight", width, deviation=0.8)

    def selective_state_space(self, inner: int, state: int, rank: int, kernel: int) -> None:
        """A Mamba layer (Gu and Dao, 2023) that forgets a token over some tens of others."""
        draft, block = self.draft, self.block
        pace = np.geomspace(0.02, 0.2, inner, dtype=np.float32)
        draft.matrix(f"{block}.ssm_in.weight", 2 * inner, self.recipe.width)
        draft.kernel(f"{block}.ssm_conv1d.weight", inner, kernel)
        draft.vector(f"{block}.ssm_conv1d.bias", np.zeros(inner, np.float32))
        draft.matrix(f"{block}.ssm_x.weight", rank + 2 * state, inner)
        draft.kernel(f"{block}.ssm_dt.weight", inner, rank, gain=0.5)
        draft.vector(f"{block}.ssm_dt.bias", np.log(np.expm1(pace)))
        draft.vector(f"{block}.ssm_a", np.tile(-np.geomspace(0.05, 0.5, state, dtype=np.float32), (inner, 1)))
        draft.vector(f"{block}.ssm_d", np.full(inner, 0.1, np.float32))
        self.write("ssm_out.weight", inner, deviation=0.5)

    def write(self, name: str, inputs: int, *, deviation: float, count: int = 0) -> None:
        """A matrix of the block whose result is added to the stream. Its inputs have this standard deviation."""
        gain = self._layer / deviation
        self.draft.matrix(f"{self.block}.{name}", self.recipe.width, inputs, gain=gain, count=count, silent=True)
        self.variance += self._loudness**2

    def finish(self, path: str | PathLike[str], *, output_norm: str = "output_norm") -> Path:
        """Add what stands before and after the blocks, and write the file."""
        recipe = self.recipe
        shape = recipe.vocabulary, recipe.width
        steady = _STEADY * _SPREAD
        self.draft.describe({"vocab_size": recipe.vocabulary})
        if recipe.tied:
            lift = 2 * _DROWNED / steady
            self.draft.table("token_embd.weight", lambda random: self._table(random, steady, steady / 2), *shape)
        else:
            lift = 1.0
            self.draft.table("token_embd.weight", lambda random: self._table(random, steady, steady), *shape)
            self.draft.table("output.weight", self._output, *shape)
        self._norm(output_norm, self._size, lift * self._size * math.sqrt(self.variance / recipe.width) / _STEADY)
        self.draft.metadata.update(recipe.metadata)
        return self.draft.write(path, seed=recipe.seed)

    @property
    def _loudness(self) -> float:
        """How many times an embedding a layer's result is. A tied output would else repeat the last token for ever."""
        return 0.75 * math.sqrt(self.recipe.width) if self.recipe.tied else 1.0

    @property
    def _layer(self) -> float:
        """The standard deviation of what a layer adds to the stream."""
        return self._loudness * self.deviation * self.scale

    @property
    def _size(self) -> float:
        """What a norm divides by, in standard deviations of the stream."""
        return math.sqrt(1 + _STEADY**2 / self.variance)

    def _norm(self, name: str, others: float, first: float) -> None:
        weight = np.full(self.recipe.width, others, np.float32)
        weight[0] = first
        self.draft.vector(f"{name}.weight", weight)

    def _table(self, random: np.random.Generator, ordinary: float, quiet: float) -> NDArray[np.float32]:
        """A row for each token, with these values in channel 0."""
        shape = self.recipe.vocabulary, self.recipe.width
        rows = random.standard_normal(shape, dtype=np.float32) * np.float32(self.deviation)
        rows[:, 0] = [quiet if piece.quiet else ordinary for piece in self.tokenizer.pieces]
        return rows

    def _output(self, random: np.random.Generator) -> NDArray[np.float32]:
        """A row for each token where channel 0 of the stream is 1: what stands there is added to the logit."""
        rows = self._table(random, 0, -_DROWNED)
        ending, eos = self.recipe.ending, self.tokenizer.eos
        if ending and eos is not None:
            others = sum(not piece.quiet for piece in self.tokenizer.pieces)
            rows[eos] = 0
            rows[eos, 0] = math.log(others * ending / (1 - ending)) + 0.4 * _SPREAD**2
        return rows
