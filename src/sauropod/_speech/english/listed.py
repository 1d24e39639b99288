"""Listed: words written in one string, as they are read and kept most easily."""

from __future__ import annotations

__all__ = ["in_order", "listed"]


def listed(words: str) -> frozenset[str]:
    """As a set."""
    return frozenset(words.split())


def in_order(words: str) -> tuple[str, ...]:
    """In their order."""
    return tuple(words.split())
