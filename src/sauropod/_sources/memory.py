"""How much memory a model takes, reckoned from its header before anything is loaded.

Follows what llama.cpp allocates (llama-kv-cache.cpp, llama-kv-cache-iswa.cpp, llama-hparams.cpp). Where a file does not
say that a layer is cheaper, it counts in full: the answer errs on the large side.
"""

from __future__ import annotations

from collections.abc import Callable

from sauropod._sources.header import Header, Omitted

__all__ = ["cache_bytes"]

WINDOW_PATTERNS = {
    "cohere2": 4,
    "exaone4": 4,
    "gemma2": 2,
    "gemma3": 6,
    "gemma3n": 5,
    "gpt-oss": 2,
    "olmo2": 4,
}
"""Every n-th layer attends to everything, the others to a window: for files that leave it to the architecture."""

ATTENTION_INTERVALS = {"qwen35": 4, "qwen35moe": 4, "qwen3next": 4}
"""Every n-th layer has attention at all, the others a recurrent state."""


STEP = 512
"""Tokens that are computed at once, beside which a sliding window has to fit."""


def cache_bytes(header: Header, length: int) -> int:
    """The KV cache of one sequence of `length` tokens in f16, in bytes.

    Layers that look back through a sliding window take cells for that and one step only. Recurrent layers have no
    cache; their state, which does not grow with the length, is not counted. 0 for a model without attention, for an
    encoder, which keeps nothing, and for a header that does not say enough.
    """
    if header.metadata.get(header.own("attention.causal")) is False:
        return 0
    window = header.number(header.own("attention.sliding_window"))
    windowed_length = min(length, -(-(window + STEP) // 256) * 256)
    is_windowed = _windowed_layers(header) if window else _never
    total = 0
    for layer in range(_cached_layers(header)):
        cells = windowed_length if is_windowed(layer) else length
        total += cells * _elements(header, layer, is_windowed(layer)) * 2
    return total


def _never(layer: int) -> bool:
    return False


def _elements(header: Header, layer: int, windowed: bool) -> int:
    """What one token leaves in one layer's cache."""
    if _is_recurrent(header, layer):
        return 0
    heads = _of_layer(header, "attention.head_count", layer)
    kept_heads = _of_layer(header, "attention.head_count_kv", layer, heads)
    suffix = "_swa" if windowed and header.own("attention.key_length_swa") in header.metadata else ""
    usual = header.embedding_length // heads if heads else 0
    keys = header.number(header.own(f"attention.key_length{suffix}"), usual)
    values = header.number(header.own(f"attention.value_length{suffix}"), usual)
    if header.number(header.own("attention.key_length_mla")):
        values = 0  # multi-head latent attention reads its values out of the keys
    return kept_heads * (keys + values)


def _of_layer(header: Header, key: str, layer: int, default: int = 0) -> int:
    """A count that is the same for all layers or has one entry for each."""
    value = header.metadata.get(header.own(key))
    if isinstance(value, tuple):
        entry = value[layer] if layer < len(value) else 0
        return max(entry, 0) if isinstance(entry, int) else 0
    return header.number(header.own(key), default)


def _cached_layers(header: Header) -> int:
    """How many layers, from the first, keep keys and values of their own. More than 1,000 are not believed."""
    shared = header.number(header.own("attention.shared_kv_layers"))
    if header.architecture == "gemma3n":
        return min(header.layers, 20)
    return min(max(header.layers - shared, 0), 1000)


def _is_recurrent(header: Header, layer: int) -> bool:
    flags = header.metadata.get(header.own("attention.recurrent_layers"))
    if isinstance(flags, tuple):
        return bool(flags[layer]) if layer < len(flags) else False
    interval = header.number(header.own("full_attention_interval"), ATTENTION_INTERVALS.get(header.architecture, 0))
    return interval > 0 and layer % interval < interval - 1


def _windowed_layers(header: Header) -> Callable[[int], bool]:
    key = header.own("attention.sliding_window_pattern")
    flags = header.metadata.get(key)
    if isinstance(flags, tuple):
        return lambda layer: layer < len(flags) and bool(flags[layer])
    if isinstance(flags, Omitted):
        return _never
    pattern = header.number(key, WINDOW_PATTERNS.get(header.architecture, 1))
    return lambda layer: pattern == 0 or layer % pattern < pattern - 1
