"""How much of the machine others used while something was measured."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import attrs

from benchmarks.harness.machine import cores

__all__ = ["Bystanders"]

_BUSY = (0, 1, 2, 5, 6, 7)
"""Of the numbers in /proc/stat: user, nice, system, irq, softirq, and what the hypervisor gave to others."""


@attrs.frozen
class Bystanders:
    """Looks at Linux's counters when it is made, and again when asked. Elsewhere it sees nobody."""

    _begin: float = attrs.field(factory=time.monotonic)
    _all: float = attrs.field(factory=lambda: _machine_seconds())
    _ours: float = attrs.field(factory=lambda: _tree_seconds())

    def share(self) -> float:
        """Of the time of all cores since then, what was used by none of this process and its descendants."""
        others = (_machine_seconds() - self._all) - (_tree_seconds() - self._ours)
        return max(0.0, others) / (cores() * max(time.monotonic() - self._begin, 1e-9))


def _machine_seconds() -> float:
    counters = Path("/proc/stat")
    if not counters.exists():
        return 0.0
    numbers = counters.read_text().split("\n", 1)[0].split()[1:]
    return sum(int(numbers[index]) for index in _BUSY) / os.sysconf("SC_CLK_TCK")


def _tree_seconds() -> float:
    """What this process and its descendants have used, those that have ended included."""
    if not Path("/proc/stat").exists():
        return 0.0
    processes = dict(_processes())
    tree, found = set[int](), {os.getpid()}
    while found:
        tree |= found
        found = {pid for pid, (parent, _) in processes.items() if parent in found} - tree
    return sum(processes[pid][1] for pid in tree if pid in processes) / os.sysconf("SC_CLK_TCK")


def _processes() -> Iterator[tuple[int, tuple[int, int]]]:
    """Every process's parent and ticks, with those of its children that were waited for."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:  # it has ended
                continue
            yield int(folder.name), (int(fields[1]), sum(map(int, fields[11:15])))
