"""What a loaded model file says of itself."""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

import attrs

from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod.backends.llama_cpp.library import library
from sauropod.errors import InvalidSampling

__all__ = ["Metadata"]

_SAMPLING: dict[str, tuple[str, type]] = {
    "temp": ("temperature", float),
    "top_k": ("top_k", int),
    "top_p": ("top_p", float),
    "min_p": ("min_p", float),
    "xtc_probability": ("xtc_probability", float),
    "xtc_threshold": ("xtc_threshold", float),
    "penalty_last_n": ("penalty_last_n", int),
    "penalty_repeat": ("repeat_penalty", float),
}
"""llama.cpp's `general.sampling.*` keys, and our names for them."""


@attrs.frozen
class Metadata:
    """The scalar key-value pairs of a model file, by way of the library that has read them."""

    POOLING: ClassVar[tuple[str, ...]] = ("none", "mean", "cls", "last", "rank")
    """In the order of llama.cpp's enum."""

    model: Any

    def get(self, key: str) -> str | None:
        """A value as text; None if the file has no such key."""
        for room in (256, 1 << 20):
            buffer = ctypes.create_string_buffer(room)
            length = library().llama_model_meta_val_str(self.model, key.encode(), buffer, room)
            if length < room:
                return None if length < 0 else buffer.value.decode(errors="replace")
        return None

    @property
    def architecture(self) -> str:
        return self.get("general.architecture") or "unknown"

    @property
    def name(self) -> str:
        return self.get("general.name") or ""

    @property
    def licence(self) -> str:
        return self.get("general.license") or ""

    @property
    def quantization(self) -> str:
        """As file names have it: `Q4_K_M` for what llama.cpp calls "Q4_K - Medium", `F32` for "all F32"."""
        name = library().llama_ftype_name(library().llama_model_ftype(self.model))
        base, _, rest = (name or b"").decode().removeprefix("all ").partition(" - ")
        size = {"Small": "_S", "Medium": "_M", "Large": "_L"}.get(rest.split(" ")[0], "")
        return base.strip() + size

    @property
    def trained_context_length(self) -> int:
        return int(library().llama_model_n_ctx_train(self.model))

    @property
    def chat_template(self) -> str | None:
        return self._named_template(None)

    @property
    def tool_template(self) -> str | None:
        """The chat template for conversations with tools, where that is one of its own."""
        return self._named_template(b"tool_use")

    def _named_template(self, name: bytes | None) -> str | None:
        template = library().llama_model_chat_template(self.model, name)
        return template.decode(errors="replace") if template else None

    @property
    def window(self) -> int:
        return int(library().llama_model_n_swa(self.model))

    @property
    def is_causal(self) -> bool:
        """Whether it reads from left to right, and so can write. An encoder sees all of a text at once."""
        return self.get(f"{self.architecture}.attention.causal") != "false"

    @property
    def is_recurrent(self) -> bool:
        """Whether it has no attention at all, and so no cells to run out of."""
        return bool(library().llama_model_is_recurrent(self.model))

    @property
    def rewinds(self) -> bool:
        """Whether any number of tokens can be dropped from a sequence's end."""
        lib = library()
        return not (self.is_recurrent or lib.llama_model_is_hybrid(self.model) or self.window > 0)

    @property
    def pooling(self) -> str | None:
        value = self.get(f"{self.architecture}.pooling_type")
        return self.POOLING[int(value)] if value is not None and value.isdigit() and int(value) < 5 else None

    @property
    def sampling(self) -> SamplingParams:
        """llama.cpp's defaults, under the file's own. Values no sampler could use are passed over."""
        params = DEFAULT_SAMPLING
        for key, (name, kind) in _SAMPLING.items():
            text = self.get(f"general.sampling.{key}")
            if text is not None:
                try:
                    params = attrs.evolve(params, **{name: kind(float(text))})
                except (InvalidSampling, ValueError, OverflowError):
                    continue
        return params
