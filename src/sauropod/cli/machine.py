"""What this machine is, as far as it matters for a model's speed."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import anyio

from sauropod import Device

__all__ = ["cores", "cpu_name", "devices_of", "has_nvidia_card", "load_average", "machine_line", "version_of"]


def cpu_name() -> str:
    """The processor as it calls itself."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip().lower() in ("model name", "hardware", "cpu model"):
                return value.strip()
    return platform.processor() or platform.machine()


def cores() -> int:
    """How many logical cores this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def load_average() -> float | None:
    """How many processes want a core just now, over the last minute."""
    try:
        return os.getloadavg()[0]
    except (AttributeError, OSError):
        return None


def has_nvidia_card() -> bool:
    """Whether the driver of one is installed."""
    return Path("/proc/driver/nvidia").exists() or shutil.which("nvidia-smi") is not None


def version_of(distribution: str) -> str | None:
    """The installed version of a distribution; None if it is not there."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def machine_line() -> str:
    """The machine and what runs on it, in one line."""
    llama = version_of("llama-cpp-python")
    load = load_average()
    parts = [
        cpu_name(),
        f"{cores()} cores",
        f"{platform.system()} {platform.machine()}",
        f"Python {platform.python_version()}",
        f"sauropod {version_of('sauropod')}",
        *([f"llama-cpp-python {llama}"] if llama else []),
        *([f"load {load:.1f} before"] if load is not None else []),
    ]
    return ", ".join(parts)


def devices_of(backend: str) -> Sequence[Device]:
    """What a backend can compute on, asked in a worker process, so that no fault of native code gets here."""
    from sauropod import _handles
    from sauropod._runtime.pool import shared_pool

    return anyio.run(_handles.devices_of, shared_pool, f"{backend}-devices", "process", backend)
