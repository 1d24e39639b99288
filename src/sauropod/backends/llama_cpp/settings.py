"""Load options as llama.cpp wants them: numbers for names, and its own defaults filled in."""

from __future__ import annotations

import difflib
from functools import partial
from typing import Any

import attrs

from sauropod._values.checks import integer, kind, number
from sauropod.abc import LoadOptions
from sauropod.errors import UnsupportedInput

__all__ = ["Settings"]

_CACHE_TYPES = {
    "f32": 0,
    "f16": 1,
    "bf16": 30,
    "q4_0": 2,
    "q4_1": 3,
    "q5_0": 6,
    "q5_1": 7,
    "q8_0": 8,
    "iq4_nl": 20,
}
"""enum ggml_type, of those a KV cache can have."""

_LOAD_MODES = {"auto": -1, "none": 0, "mmap": 1, "mlock": 2, "mmap_mlock": 3, "direct_io": 4}
_SPLIT_MODES = {"none": 0, "layer": 1, "row": 2, "tensor": 3}
_MOST_SLOTS = 256
"""LLAMA_MAX_SEQ."""
_MOST_THREADS = 512
"""GGML_MAX_N_THREADS."""
_MOST_STEP_TOKENS = 1024 * 1024
"""The arrays a step is read from are made for as many."""

_integer = partial(integer, UnsupportedInput, optional=False)
_switch = kind(UnsupportedInput, bool)
_frequency = number(UnsupportedInput, 1e-6, 1e12, zero=True, optional=False)


@attrs.frozen(kw_only=True)
class Extra:
    """The options only llama.cpp knows: `Engine(…, options={"swa_full": True})`."""

    load_mode: str = attrs.field(default="auto", validator=kind(UnsupportedInput, str))
    """How the file is read: auto, none, mmap, mlock, mmap_mlock or direct_io."""
    split_mode: str = attrs.field(default="layer", validator=kind(UnsupportedInput, str))
    """How a model is spread over several GPUs: none, layer, row or tensor."""
    ubatch_tokens: int = attrs.field(default=512, validator=_integer(1, _MOST_STEP_TOKENS))
    """The tokens computed at once within a step."""
    embedding_slots: int = attrs.field(default=64, validator=_integer(1, _MOST_SLOTS))
    """The inputs embedded at once."""
    swa_full: bool = attrs.field(default=False, validator=_switch)
    """Keep all tokens of sliding-window layers."""
    offload_kqv: bool = attrs.field(default=True, validator=_switch)
    """Keep the cache where the layers are."""
    check_tensors: bool = attrs.field(default=False, validator=_switch)
    """Look for numbers that are none while loading."""
    rope_freq_base: float = attrs.field(default=0.0, validator=_frequency)
    """0 takes the model's own."""
    rope_freq_scale: float = attrs.field(default=0.0, validator=_frequency)


@attrs.frozen(kw_only=True)
class Settings(Extra):
    """All that a load needs to know."""

    slots: int = attrs.field(validator=_integer(1, _MOST_SLOTS))
    step_tokens: int = attrs.field(validator=_integer(1, _MOST_STEP_TOKENS))
    threads: int | None = attrs.field(validator=integer(UnsupportedInput, 1, _MOST_THREADS))
    flash_attention_number: int
    cache_type_numbers: tuple[int, int]

    @classmethod
    def of(cls, options: LoadOptions) -> Settings:
        """Raises `UnsupportedInput` for an option that is unknown or out of range."""
        slots = 8 if options.slots is None else options.slots
        step_tokens = 512 if options.step_tokens is None else options.step_tokens
        _require(step_tokens >= slots, f"step_tokens must be at least slots ({slots}); got {step_tokens}.")
        return cls(
            slots=slots,
            step_tokens=step_tokens,
            threads=options.threads,
            flash_attention_number=-1 if options.flash_attention is None else int(options.flash_attention),
            cache_type_numbers=_cache_types(options.cache_type),
            **_known(options.extra),
        )

    @property
    def load_mode_number(self) -> int:
        return _look_up("load_mode", _LOAD_MODES, self.load_mode)

    @property
    def split_mode_number(self) -> int:
        return _look_up("split_mode", _SPLIT_MODES, self.split_mode)


def _cache_types(text: str) -> tuple[int, int]:
    """`"q8_0"` for both, `"f16,q8_0"` for keys and values."""
    keys, _, values = text.partition(",")
    return _look_up("cache_type", _CACHE_TYPES, keys), _look_up("cache_type", _CACHE_TYPES, values or keys)


def _known(extra: Any) -> dict[str, Any]:
    known = [field.name for field in attrs.fields(Extra)]
    for name in extra:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            hint = f" Did you mean {close[0]!r}?" if close else f" It knows: {', '.join(known)}."
            raise UnsupportedInput(f"The llama_cpp backend has no option {name!r}.{hint}")
    return dict(extra)


def _look_up(option: str, names: dict[str, int], name: str) -> int:
    _require(name.strip().lower() in names, f"{option} is one of {', '.join(names)}; got {name!r}.")
    return names[name.strip().lower()]


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise UnsupportedInput(otherwise)
