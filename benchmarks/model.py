"""A model to measure with: the shape of Qwen2.5-0.5B in Q8_0, random weights. Speed does not depend on the weights.

python benchmarks/model.py ~/.cache/sauropod/half-billion.gguf
"""

from __future__ import annotations

import argparse
import math
import time
from os import PathLike
from pathlib import Path
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod.testing.models.byte_level import byte_pair
from sauropod.testing.models.draft import Draft, Tensor


@attrs.frozen
class Shape:
    """The sizes of Qwen2.5-0.5B (its model card and configuration on Hugging Face)."""

    vocabulary: int = 151_936
    context: int = 32_768
    layers: int = 24
    width: int = 896
    hidden: int = 4864
    heads: int = 14
    groups: int = 2
    head: int = 64


def qwen_half_billion(path: str | PathLike[str], *, seed: int = 0) -> Path:
    """Write the model, 531 MB, in a few seconds, and give back its path. A file that is there already is kept.

    Its 151,936 tokens are bytes, English words and made-up compounds of them: about four characters a token of
    English. It has ChatML's special tokens and template. What it says is random.
    """
    target = Path(path)
    if target.exists():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    return _draft(Shape()).write(target, seed=seed)


def _draft(shape: Shape) -> Draft:
    draft = Draft("qwen2", "Q8_0")
    tokenizer = byte_pair(shape.vocabulary)
    draft.metadata.update({"general.type": "model", "general.name": "Half a billion random weights"})
    draft.metadata.update({"general.file_type": 7, "general.quantization_version": 2})
    draft.metadata.update({**tokenizer.metadata(), "tokenizer.chat_template": tokenizer.chat_template})
    draft.describe(
        {
            "block_count": shape.layers,
            "context_length": shape.context,
            "embedding_length": shape.width,
            "feed_forward_length": shape.hidden,
            "attention.head_count": shape.heads,
            "attention.head_count_kv": shape.groups,
            "attention.layer_norm_rms_epsilon": 1e-6,
            "rope.freq_base": 1e6,
        }
    )
    embedding = 3 / math.sqrt(shape.width)  # gives logits that deviate by 3
    _matrix(draft, "token_embd.weight", shape.vocabulary, shape.width, embedding)
    for index in range(shape.layers):
        _block(draft, f"blk.{index}", shape, 3 * embedding)
    _norm(draft, "output_norm", shape.width)
    return draft


def _block(draft: Draft, block: str, shape: Shape, loudness: float) -> None:
    """A layer that adds numbers that deviate by `loudness` to the stream."""
    wide, narrow = shape.heads * shape.head, shape.groups * shape.head
    _norm(draft, f"{block}.attn_norm", shape.width)
    for name, outputs in (("attn_q", wide), ("attn_k", narrow), ("attn_v", narrow)):
        _matrix(draft, f"{block}.{name}.weight", outputs, shape.width, 1 / math.sqrt(shape.width))
        draft.vector(f"{block}.{name}.bias", np.zeros(outputs, np.float32))
    _matrix(draft, f"{block}.attn_output.weight", shape.width, wide, loudness / math.sqrt(wide))
    _norm(draft, f"{block}.ffn_norm", shape.width)
    for name in ("ffn_gate", "ffn_up"):
        _matrix(draft, f"{block}.{name}.weight", shape.hidden, shape.width, 1 / math.sqrt(shape.width))
    _matrix(draft, f"{block}.ffn_down.weight", shape.width, shape.hidden, 2 * loudness / math.sqrt(shape.hidden))


def _norm(draft: Draft, name: str, width: int) -> None:
    draft.vector(f"{name}.weight", np.ones(width, np.float32))


def _matrix(draft: Draft, name: str, outputs: int, inputs: int, deviation: float) -> None:
    """Q8_0 blocks drawn as they are stored, which is much faster than quantising: a scale and 32 small integers."""
    block = np.dtype([("scale", "<f2"), ("values", "i1", 32)])

    def draw(random: np.random.Generator) -> NDArray[Any]:
        blocks = np.empty(outputs * inputs // 32, block)
        blocks["scale"] = deviation * math.sqrt(3) / 127
        blocks["values"] = np.frombuffer(random.bytes(outputs * inputs), np.int8).reshape(-1, 32)
        return blocks.view(np.uint8)

    draft.tensors.append(Tensor(name, (outputs, inputs), "Q8_0", draw))


def main() -> None:
    """Write the model where the command line says."""
    parser = argparse.ArgumentParser(description=qwen_half_billion.__doc__)
    parser.add_argument("path", type=Path)
    start = time.perf_counter()
    path = qwen_half_billion(parser.parse_args().path)
    print(f"{path}: {path.stat().st_size / 1e6:,.0f} MB in {time.perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
