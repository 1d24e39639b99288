"""What lets a language model hear: an encoder as Whisper's, and a projector into the model's own width."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sauropod.testing.models.draft import Draft

__all__ = ["tiny_projector"]

FRAMES = 1500
"""Positions of half a minute after the convolutions, all of which an encoder always computes."""
MELS = 128
KERNEL = 3


def tiny_projector(
    path: str | PathLike[str],
    *,
    width: int = 64,
    kind: Literal["voxtral", "ultravox", "qwen2a"] = "voxtral",
    stack: int = 30,
    layers: int = 1,
    seed: int = 0,
) -> Path:
    """Write an audio projector (`mmproj`) for a decoder of the given `width`, in the layout of llama.cpp's `clip`.

    Every half minute that is begun becomes `1500 / stack` tokens (`voxtral`: half as many, for llama.cpp pools by two;
    `qwen2a`: 750), which depend on what is heard. Raises `ValueError` for a `stack` that does not divide 1500.
    """
    if FRAMES % stack:
        raise ValueError(f"A stack of {stack} frames does not divide {FRAMES}.")
    inner, heads = 32, 2
    draft = Draft("clip")
    draft.metadata.update(
        {
            "general.type": "mmproj",
            "general.name": "tiny projector",
            "clip.has_audio_encoder": True,
            "clip.projector_type": kind,
            "clip.audio.embedding_length": inner,
            "clip.audio.feed_forward_length": 2 * inner,
            "clip.audio.block_count": layers,
            "clip.audio.attention.head_count": heads,
            "clip.audio.attention.layer_norm_epsilon": 1e-5,
            "clip.audio.projection_dim": width,
            "clip.audio.num_mel_bins": MELS,
            "clip.audio.projector.stack_factor": stack,
        }
    )
    _convolution(draft, 1, inner, MELS)
    _convolution(draft, 2, inner, inner)
    draft.kernel("a.position_embd.weight", FRAMES, inner)
    for index in range(layers):
        _block(draft, f"a.blk.{index}", inner)
    draft.vector("a.post_ln.weight", np.ones(inner, np.float32))
    draft.vector("a.post_ln.bias", np.zeros(inner, np.float32))
    _PROJECTIONS[kind](draft, inner, stack, width)
    return draft.write(path, seed=seed)


def _convolution(draft: Draft, number: int, outputs: int, inputs: int) -> None:
    """Whisper's are in half precision, as ggml wants a convolution's kernel."""

    def draw(random: np.random.Generator) -> NDArray[np.float16]:
        values = random.standard_normal((outputs, inputs, KERNEL)) / np.sqrt(inputs * KERNEL)
        return np.asarray(4 * values, np.float16)

    draft.stored(f"a.conv1d.{number}.weight", "F16", draw, outputs, inputs, KERNEL)
    draft.vector(f"a.conv1d.{number}.bias", np.zeros((outputs, 1), np.float32))


def _block(draft: Draft, block: str, width: int) -> None:
    for name, gain in (("attn_q", 3.0), ("attn_k", 1.0), ("attn_v", 1.0), ("attn_out", 1.0)):
        draft.matrix(f"{block}.{name}.weight", width, width, gain=gain)
        if name != "attn_k":  # as in Whisper, and llama.cpp insists on it
            draft.vector(f"{block}.{name}.bias", np.zeros(width, np.float32))
    draft.matrix(f"{block}.ffn_up.weight", 2 * width, width)
    draft.vector(f"{block}.ffn_up.bias", np.zeros(2 * width, np.float32))
    draft.matrix(f"{block}.ffn_down.weight", width, 2 * width)
    draft.vector(f"{block}.ffn_down.bias", np.zeros(width, np.float32))
    for norm in ("ln1", "ln2"):
        draft.vector(f"{block}.{norm}.weight", np.ones(width, np.float32))
        draft.vector(f"{block}.{norm}.bias", np.zeros(width, np.float32))


def _voxtral(draft: Draft, inner: int, stack: int, width: int) -> None:
    draft.matrix("mm.a.mlp.1.weight", width, inner * stack)
    draft.matrix("mm.a.mlp.2.weight", width, width)


def _ultravox(draft: Draft, inner: int, stack: int, width: int) -> None:
    draft.vector("mm.a.norm_pre.weight", np.ones(inner * stack, np.float32))
    draft.matrix("mm.a.mlp.1.weight", 2 * width, inner * stack)
    draft.vector("mm.a.norm_mid.weight", np.ones(width, np.float32))
    draft.matrix("mm.a.mlp.2.weight", width, width)


def _qwen2a(draft: Draft, inner: int, _: int, width: int) -> None:
    draft.matrix("mm.a.fc.weight", width, inner)
    draft.vector("mm.a.fc.bias", np.zeros(width, np.float32))


_PROJECTIONS = {"voxtral": _voxtral, "ultravox": _ultravox, "qwen2a": _qwen2a}
