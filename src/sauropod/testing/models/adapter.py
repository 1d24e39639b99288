"""A LoRA adapter (Hu et al., 2021) for a model that is already written."""

from __future__ import annotations

import math
from os import PathLike
from pathlib import Path

from sauropod.testing.models.draft import Draft, gguf

__all__ = ["tiny_lora"]


def tiny_lora(
    path: str | PathLike[str], base: str | PathLike[str], *, seed: int = 0, rank: int = 4, strength: float = 1.0
) -> Path:
    """Write an adapter for the attention and the feed-forward layers of `base`.

    At `strength` 1 what it adds to a matrix is as large as the matrix, so that another token is most likely almost
    everywhere. Raises `ValueError` for a base without such layers.
    """
    reader = gguf().GGUFReader(Path(base))
    adapted = [tensor for tensor in reader.tensors if _is_adapted(tensor.name)]
    if not adapted:
        raise ValueError(f"{base} has no attention or feed-forward matrices to adapt.")
    draft = Draft(reader.get_field("general.architecture").contents())
    draft.metadata.update({"general.type": "adapter", "general.name": "tiny lora"})
    draft.metadata.update({"adapter.type": "lora", "adapter.lora.alpha": float(rank)})
    for tensor in adapted:
        inputs, outputs = (int(size) for size in tensor.shape)
        gain = strength * float(gguf().quants.dequantize(tensor.data, tensor.tensor_type).std()) * math.sqrt(inputs)
        writes = tensor.name.endswith(("attn_output.weight", "ffn_down.weight"))  # see `decoder` for channel 0
        draft.matrix(f"{tensor.name}.lora_a", rank, inputs)
        draft.matrix(f"{tensor.name}.lora_b", outputs, rank, gain=gain, silent=writes)
    return draft.write(path, seed=seed)


def _is_adapted(name: str) -> bool:
    layers = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")
    return any(name.endswith(f".{layer}.weight") for layer in layers)
