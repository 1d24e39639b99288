"""What llama.cpp's log says about where it put things; it is told nowhere else."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

import attrs

__all__ = ["Buffers", "offloaded_layers", "read_buffers"]

_BUFFER = re.compile(r"(\S+)\s+(model|KV|RS|compute|output|LoRA) buffer size\s*=\s*([\d.]+) MiB")
_CACHE = re.compile(r"llama_kv_cache: size =\s*([\d.]+) MiB")
_OFFLOADED = re.compile(r"offloaded (\d+)/(\d+) layers to GPU")
_CACHES = ("KV", "RS")


@attrs.frozen
class Buffers:
    """Bytes by buffer and by what they are for."""

    sizes: Mapping[tuple[str, str], int]
    planned_cache: int = 0
    """Bytes of KV cache, allocated or only simulated."""

    def total(self, *kinds: str) -> int:
        return sum(size for (_, kind), size in self.sizes.items() if kind in kinds)

    @property
    def cache(self) -> int:
        return self.total(*_CACHES)

    @property
    def compute(self) -> int:
        return self.total("compute", "output")


def read_buffers(lines: Sequence[str]) -> Buffers:
    """The buffers announced in the log of a load."""
    sizes: Counter[tuple[str, str]] = Counter()
    planned = 0
    for line in lines:
        if found := _BUFFER.search(line):
            name, kind, size = found.groups()
            sizes[name, kind] += _mebibytes(size)
        if found := _CACHE.search(line):
            planned += _mebibytes(found[1])
    return Buffers(dict(sizes), planned)


def _mebibytes(text: str) -> int:
    return round(float(text) * 1024 * 1024)


def offloaded_layers(lines: Sequence[str]) -> tuple[int, int]:
    """How many layers are on GPUs, of how many."""
    found = [match for line in lines if (match := _OFFLOADED.search(line))]
    return (int(found[-1][1]), int(found[-1][2])) if found else (0, 0)
