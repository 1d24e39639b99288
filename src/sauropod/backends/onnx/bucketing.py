"""Which clips are computed together."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["LARGEST", "buckets"]

PADDING = 0.2
"""The share of a batch that may be padding."""
LARGEST = 12_000
"""Frames of a batch, padding included: two minutes. Beyond that, more in a batch takes memory and saves no time."""


def buckets(lengths: Sequence[int], most: int) -> list[list[int]]:
    """Which clips are computed together: indices, `most` at once. Less than a fifth of each batch is padding."""
    order = sorted(range(len(lengths)), key=lambda each: lengths[each], reverse=True)
    found: list[list[int]] = []
    for index in order:
        bucket = found[-1] if found else []
        padded = (len(bucket) + 1) * lengths[bucket[0]] if bucket else 0
        used = sum(lengths[each] for each in bucket) + lengths[index]
        if bucket and len(bucket) < most and padded <= LARGEST and padded - used < PADDING * padded:
            bucket.append(index)
        else:
            found.append([index])
    return found
