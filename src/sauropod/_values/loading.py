"""What a backend is told when it loads a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

__all__ = ["LoadOptions", "Source"]


@attrs.frozen
class Source:
    """A model that has been found.

    For a backend that loads files, `files` are local and complete, the first shard first, and `projector` is the
    multimodal projector that belongs to them, if there is one. For any other backend `files` is empty and `name`
    is whatever the user wrote after the backend's own name.
    """

    name: str
    files: Sequence[Path] = ()
    projector: Path | None = None


@attrs.frozen(kw_only=True)
class LoadOptions:
    """How to load a model. None leaves the choice to the backend."""

    device: str = "auto"
    context_length: int | None = None
    slots: int | None = None
    cache_length: int | None = None
    step_tokens: int | None = None
    threads: int | None = None
    gpu_layers: int | None = None
    tensor_split: Sequence[float] = ()
    flash_attention: bool | None = None
    cache_type: str = "f16"
    adapters: Mapping[str, float] = attrs.field(factory=dict)
    rpc_servers: Sequence[str] = ()
    pooling: str | None = None
    chat_template: str | None = None
    extra: Mapping[str, Any] = attrs.field(factory=dict)
    """Options only a particular backend knows."""
