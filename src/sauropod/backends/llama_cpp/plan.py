"""How long a context, how large a cache and how many layers on the GPU: pure arithmetic over what was measured."""

from __future__ import annotations

import attrs

from sauropod.errors import OutOfMemory

__all__ = ["Room", "cells_that_fit", "layers_that_fit", "plan_room", "threads_worth_having"]

GRANULE = 256
"""llama.cpp rounds its caches to this many cells."""

LONGEST_DEFAULT = 32768
"""Tokens. Contexts and caches are made longer only if asked for."""

LONGEST_AT_ONCE = 8192
"""Tokens that are embedded in one go, where a vector is made of them all. The mask alone takes 256 MiB for as many."""

SHORTEST_DEFAULT = 2048
"""Tokens that a context is given even if memory is short."""

SHARE = 0.25
"""Of the memory that is left beside the weights, how much a cache takes unasked."""

MARGIN = 0.9
"""Of the GPUs' free memory, how much is filled unasked."""


WORTH_THREADS = 32 * 1024 * 1024
"""Bytes of weights. The threads of a smaller model only wait for each other: on two cores with other work on them, one
thread wrote 950 tokens a second of a model of 4 MB, and two wrote 30."""


@attrs.frozen
class Room:
    """The context length of one sequence, and the cells all share."""

    context_length: int
    cache_length: int


def cells_that_fit(available: int, per_cell: float) -> int:
    """The cells a cache gets unasked, of bytes available and bytes for each."""
    return LONGEST_DEFAULT if per_cell <= 0 else int(available * SHARE / per_cell)


def threads_worth_having(weights: int, cores: int) -> int:
    """The threads that compute a model of so many bytes fastest."""
    return cores if weights >= WORTH_THREADS else 1


def plan_room(asked_context: int | None, asked_cache: int | None, trained: int, slots: int, fitting: int) -> Room:
    """Context and cache: as asked, else as long as trained for and as fits, in reason."""
    context = asked_context or min(trained, LONGEST_DEFAULT, max(fitting, SHORTEST_DEFAULT))
    cache = asked_cache or min(context * slots, max(context, min(fitting, LONGEST_DEFAULT)))
    cache = -(-max(cache, context) // GRANULE) * GRANULE
    return Room(context, cache)


def layers_that_fit(layers: int, free: int, weights: int, cache: float, compute: int) -> int:
    """The most layers that can be put on the GPUs, each with its share of the weights and of the cache; bytes.

    Raises `OutOfMemory` if not one fits.
    """
    each = (weights + cache) / layers
    count = min(layers, int((MARGIN * free - compute) / each))
    if count < 1:
        raise OutOfMemory(
            f"Not one of the model's {layers} layers of {each / 1e9:.2f} GB fits into the {free / 1e9:.2f} GB that are "
            'free there. Free some of it, ask for a shorter context_length, or load the model with device="cpu".'
        )
    return count
