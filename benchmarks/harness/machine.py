"""The machine a figure was measured on, and how busy it was."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import attrs

__all__ = ["Machine", "cores"]

PACKAGES = ("sauropod", "llama-cpp-python", "xllamacpp", "numpy", "anyio")


@attrs.frozen
class Machine:
    """What is printed beside every figure."""

    processor: str
    cores: int
    memory: int
    """Bytes."""
    system: str
    python: str
    packages: Sequence[tuple[str, str]]
    load: float | None
    """Processes that wanted a core, on average over the last minute, before anything was measured."""

    @classmethod
    def read(cls) -> Machine:
        return cls(
            processor=_processor(),
            cores=cores(),
            memory=_memory(),
            system=f"{platform.system()} {platform.release()}",
            python=platform.python_version(),
            packages=tuple((name, found) for name in PACKAGES if (found := _version(name))),
            load=os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        )

    @property
    def is_busy(self) -> bool:
        """Whether others use so much of it that figures say little."""
        return self.load is not None and self.load > 0.3 * self.cores

    def describe(self) -> str:
        packages = ", ".join(f"{name} {number}" for name, number in self.packages)
        load = "unknown" if self.load is None else f"{self.load:.2f}"
        lines = [
            f"{self.processor}, {self.cores} cores, {self.memory / 2**30:.0f} GiB · {self.system}",
            f"Python {self.python}, {packages} · load average before: {load}",
        ]
        if self.is_busy:
            lines.append("OTHERS ARE USING THIS MACHINE: believe no figure below.")
        return "\n".join(lines)

    def as_json(self) -> dict[str, Any]:
        return {**attrs.asdict(self), "packages": dict(self.packages), "is_busy": self.is_busy}


def cores() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    if known.exists():
        names = [line.partition(":")[2].strip() for line in known.read_text().splitlines() if "model name" in line]
        if names:
            return names[0]
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
