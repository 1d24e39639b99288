"""Language models, one for each way llama.cpp can remember what came before."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Unpack

from sauropod.testing.models.decoder import HEAD, Decoder
from sauropod.testing.models.recipe import DecoderOptions, Recipe

__all__ = ["tiny_hybrid", "tiny_llama", "tiny_moe", "tiny_mrope", "tiny_recurrent", "tiny_windowed"]


def tiny_llama(
    path: str | PathLike[str],
    *,
    layers: int = 2,
    heads: int = 2,
    key_value_heads: int = 1,
    **options: Unpack[DecoderOptions],
) -> Path:
    """Write a model with full attention (`llama`): any tail of a sequence can be dropped, any prefix copied."""
    return _full_attention(Decoder.begin("llama", Recipe(**options)), layers, heads, key_value_heads).finish(path)


def tiny_mrope(
    path: str | PathLike[str],
    *,
    layers: int = 2,
    heads: int = 2,
    key_value_heads: int = 1,
    **options: Unpack[DecoderOptions],
) -> Path:
    """Write a model that counts positions in several dimensions (`qwen2vl`), as those of Qwen that see and hear."""
    model = Decoder.begin("qwen2vl", Recipe(**options))
    half = HEAD // 2
    model.draft.describe({"rope.dimension_sections": [half // 2, half // 4, half // 4, 0]})
    return _full_attention(model, layers, heads, key_value_heads).finish(path)


def _full_attention(model: Decoder, layers: int, heads: int, key_value_heads: int) -> Decoder:
    hidden = 2 * model.recipe.width
    model.heads(heads, key_value_heads)
    model.draft.describe({"feed_forward_length": hidden})
    for _ in model.blocks(layers):
        model.norm("attn_norm")
        model.attention(heads, key_value_heads)
        model.norm("ffn_norm")
        model.feed_forward(hidden)
    return model


def tiny_moe(
    path: str | PathLike[str],
    *,
    layers: int = 2,
    heads: int = 2,
    key_value_heads: int = 1,
    experts: int = 4,
    experts_used: int = 2,
    **options: Unpack[DecoderOptions],
) -> Path:
    """Write a mixture of experts with full attention (`qwen3moe`)."""
    model = Decoder.begin("qwen3moe", Recipe(**options))
    hidden = model.recipe.width
    model.heads(heads, key_value_heads)
    model.draft.describe(
        {
            "feed_forward_length": experts_used * hidden,
            "expert_count": experts,
            "expert_used_count": experts_used,
            "expert_feed_forward_length": hidden,
        }
    )
    for _ in model.blocks(layers):
        model.norm("attn_norm")
        model.attention(heads, key_value_heads, query_key_norms=True)
        model.norm("ffn_norm")
        model.experts(hidden, experts)
    return model.finish(path)


def tiny_hybrid(path: str | PathLike[str], *, layers: int = 3, **options: Unpack[DecoderOptions]) -> Path:
    """Write a model whose layers are by turns recurrent and attention, a recurrent one first (`lfm2`).

    No tail of a sequence can be dropped, and a sequence can only be copied whole.
    """
    model = Decoder.begin("lfm2", Recipe(**options))
    width = model.recipe.width
    heads, kernel = width // HEAD, 3
    model.heads(heads, 1)
    model.draft.describe(
        {
            "attention.head_count_kv": [index % 2 for index in range(layers)],
            "feed_forward_length": 2 * width,
            "shortconv.l_cache": kernel,
        }
    )
    for index in model.blocks(layers):
        model.norm("attn_norm")
        if index % 2:
            model.attention(heads, 1, query_key_norms=True)
        else:
            model.short_convolution(kernel)
        model.norm("ffn_norm")
        model.feed_forward(2 * width)
    return model.finish(path, output_norm="token_embd_norm")


def tiny_recurrent(path: str | PathLike[str], *, layers: int = 2, **options: Unpack[DecoderOptions]) -> Path:
    """Write a model that remembers a sequence in a state of fixed size (`mamba`): no tail of it can be dropped."""
    model = Decoder.begin("mamba", Recipe(**options))
    inner, state, rank, kernel = 2 * model.recipe.width, 8, 4, 4
    model.draft.describe(
        {
            "feed_forward_length": 0,
            "attention.head_count": 0,
            "ssm.conv_kernel": kernel,
            "ssm.inner_size": inner,
            "ssm.state_size": state,
            "ssm.time_step_rank": rank,
            "ssm.dt_b_c_rms": True,
        }
    )
    for _ in model.blocks(layers):
        model.norm("attn_norm")
        model.selective_state_space(inner, state, rank, kernel)
    return model.finish(path)


def tiny_windowed(
    path: str | PathLike[str],
    *,
    layers: int = 2,
    heads: int = 2,
    key_value_heads: int = 1,
    window: int = 16,
    **options: Unpack[DecoderOptions],
) -> Path:
    """Write a model that looks back `window` tokens in every other layer, the first among them (`gemma3`).

    Without `swa_full` in llama.cpp's context, what has left the window is forgotten once its cell is needed again,
    and a tail that reaches back behind it cannot be dropped. There are at least 256 such cells, so it takes a longer
    sequence, and an `n_ubatch` well below that, to see it. `context_length` is 2048 unless given.
    """
    options.setdefault("context_length", 2048)
    recipe = Recipe(**options)
    model = Decoder.begin("gemma3", recipe, scale=recipe.width**0.5)
    hidden = 2 * recipe.width
    model.heads(heads, key_value_heads)
    model.draft.describe(
        {
            "feed_forward_length": hidden,
            "attention.sliding_window": window,
            "attention.sliding_window_pattern": [index % 2 == 0 for index in range(layers)],
            "rope.freq_base_swa": 10_000.0,
        }
    )
    for _ in model.blocks(layers):
        model.norm("attn_norm")
        model.attention(heads, key_value_heads, query_key_norms=True)
        model.post_norm("post_attention_norm")
        model.norm("ffn_norm")
        model.feed_forward(hidden)
        model.post_norm("post_ffw_norm")
    return model.finish(path)
