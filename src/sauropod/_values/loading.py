"""What a backend is told when it loads a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from sauropod._values.checks import integer, is_finite, is_text, kind, listed, mapped
from sauropod.errors import UnsupportedInput

__all__ = ["LoadOptions", "Source"]


@attrs.frozen
class Source:
    """A model that has been found.

    For a backend that loads files, `files` are local and complete, the first shard first, and `projector` is the
    multimodal projector that belongs to them, if there is one. For a backend that selects several files, `root` is
    the directory that their paths were relative to. For any other backend `files` is empty and `name` is whatever
    the user wrote after the backend's own name.
    """

    name: str
    files: Sequence[Path] = ()
    projector: Path | None = None
    root: Path | None = None
    projector_named: bool = False
    """Whether the user named the projector, so that it has to be usable."""


def _shares(value: Iterable[float] | None) -> tuple[float, ...]:
    return listed(
        value, UnsupportedInput, "tensor_split", "numbers of at least 0", lambda share: is_finite(share) and share >= 0
    )


def _servers(value: Iterable[str] | None) -> tuple[str, ...]:
    return listed(value, UnsupportedInput, "rpc_servers", "strings such as 'host:50052'", is_text)


def _scales(value: Mapping[str, float] | None) -> dict[str, float]:
    return mapped(
        value,
        UnsupportedInput,
        "adapters",
        "paths to numbers",
        lambda path, scale: isinstance(path, str | Path) and is_finite(scale),
    )


def _named(value: Mapping[str, Any] | None) -> dict[str, Any]:
    return mapped(value, UnsupportedInput, "options", "names to values", lambda name, _: isinstance(name, str))


_text = kind(UnsupportedInput, str)
_optional_text = kind(UnsupportedInput, str, optional=True)
_count = integer(UnsupportedInput, 1, 2**31 - 1)


@attrs.frozen(kw_only=True)
class LoadOptions:
    """How to load a model. None leaves the choice to the backend.

    Raises `UnsupportedInput` for what is of the wrong kind or makes no sense for any backend.
    """

    device: str = attrs.field(default="auto", validator=_text)
    context_length: int | None = attrs.field(default=None, validator=_count)
    slots: int | None = attrs.field(default=None, validator=_count)
    cache_length: int | None = attrs.field(default=None, validator=_count)
    step_tokens: int | None = attrs.field(default=None, validator=_count)
    threads: int | None = attrs.field(default=None, validator=_count)
    gpu_layers: int | None = attrs.field(default=None, validator=integer(UnsupportedInput, -1, 2**31 - 1))
    tensor_split: Sequence[float] = attrs.field(default=(), converter=_shares)
    flash_attention: bool | None = attrs.field(default=None, validator=kind(UnsupportedInput, bool, optional=True))
    cache_type: str = attrs.field(default="f16", validator=_text)
    adapters: Mapping[str, float] = attrs.field(factory=dict, converter=_scales)
    rpc_servers: Sequence[str] = attrs.field(default=(), converter=_servers)
    pooling: str | None = attrs.field(default=None, validator=_optional_text)
    chat_template: str | None = attrs.field(default=None, validator=_optional_text)
    system_prompt: str | None = attrs.field(default=None, validator=_optional_text)
    extra: Mapping[str, Any] = attrs.field(factory=dict, converter=_named)
    """Options only a particular backend knows."""
