"""Who goes first, and how a model's requests are scheduled."""

from __future__ import annotations

import enum

import attrs

__all__ = ["Priority", "SchedulerOptions"]


class Priority(enum.IntEnum):
    """Who goes first. Lower is more urgent."""

    LIVE = 0
    NORMAL = 1
    BACKGROUND = 2


@attrs.frozen(kw_only=True)
class SchedulerOptions:
    """How a model's requests are scheduled."""

    max_waiting: int = 256
    """Requests beyond those running that may wait."""
    snapshot_bytes: int = 512 * 1024 * 1024
    """Host memory for evicted slots and for nothing else."""
    step_seconds: float = 0.25
    """How long a step may take while others are waiting for their next token."""
    ageing: float = 5.0
    """Seconds without being served that raise a sequence's priority by one."""
