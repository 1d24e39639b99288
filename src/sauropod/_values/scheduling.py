"""Who goes first, and how a model's requests are scheduled."""

from __future__ import annotations

import enum

import attrs

from sauropod._values.checks import integer, number
from sauropod.errors import UnsupportedInput

__all__ = ["Priority", "SchedulerOptions"]


class Priority(enum.IntEnum):
    """Who goes first. Lower is more urgent."""

    SPEAKING = -2
    """Audio that a listener is waiting for."""
    HEARING = -1
    """Speech that is being said just now."""
    LIVE = 0
    NORMAL = 1
    BACKGROUND = 2


@attrs.frozen(kw_only=True)
class SchedulerOptions:
    """How a model's requests are scheduled."""

    max_waiting: int = attrs.field(default=256, validator=integer(UnsupportedInput, 0, 2**31 - 1, optional=False))
    """Requests beyond those running that may wait."""
    snapshot_bytes: int = attrs.field(
        default=512 * 1024 * 1024, validator=integer(UnsupportedInput, 0, 2**63 - 1, optional=False)
    )
    """Host memory for what evicted and idle slots held, and for nothing else."""
    step_seconds: float = attrs.field(default=0.25, validator=number(UnsupportedInput, 0.001, 3600, optional=False))
    """How long a step may take while others are waiting for their next token; up to four times as long where more are
    waiting for their first."""
    ageing: float = attrs.field(default=5.0, validator=number(UnsupportedInput, 0.001, 1e9, optional=False))
    """Seconds without being served that raise a sequence's priority by one."""
