"""What this machine has to offer: memory and cores."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["available_memory", "physical_cores"]


def available_memory(total: int, cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that can be taken without swapping, of `total`: what the kernel says, within the container's limit."""
    candidates = [total]
    meminfo = Path("/proc/meminfo")
    if meminfo.exists():
        lines = dict(line.split(":", 1) for line in meminfo.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            candidates.append(int(lines["MemAvailable"].split()[0]) * 1024)
    limit = cgroup / "memory.max"
    if limit.exists() and (text := limit.read_text().strip()).isdigit():
        candidates.append(int(text) - int((cgroup / "memory.current").read_text()) + _reclaimable(cgroup))
    return max(0, min(candidates))


def _reclaimable(cgroup: Path) -> int:
    """Bytes that count as used and are given back when asked for: of files that were read, such as the model's own."""
    counts = cgroup / "memory.stat"
    lines = counts.read_text().splitlines() if counts.exists() else []
    return sum(int(line.split()[1]) for line in lines if line.startswith("inactive_file "))


def physical_cores() -> int:
    """Cores this process may use, two threads of one core counted once: more threads than that slow llama.cpp down."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set(range(os.cpu_count() or 1))
    siblings = set()
    for cpu in allowed:
        topology = Path(f"/sys/devices/system/cpu/cpu{cpu}/topology/thread_siblings_list")
        siblings.add(topology.read_text() if topology.exists() else str(cpu))
    return max(1, min(len(siblings), _quota(len(siblings))))


def _quota(otherwise: int) -> int:
    """The cores a container is allowed."""
    limit = Path("/sys/fs/cgroup/cpu.max")
    if not limit.exists():
        return otherwise
    quota, period = limit.read_text().split()
    return otherwise if quota == "max" else max(1, round(int(quota) / int(period)))
