"""What detectors have in common: sound that is checked, a device that suits them, options of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._values.loading import LoadOptions
from sauropod._values.speech import Clip, Heard
from sauropod.errors import UnsupportedInput

__all__ = ["number", "on_the_cpu", "sound"]


def sound(item: object, kind: type[Clip | Heard]) -> NDArray[np.float32]:
    """The item's samples as float32 [n]. Raises `UnsupportedInput` for another kind of item, or what is no sound."""
    if not isinstance(item, kind):
        raise UnsupportedInput(f"A detector is given {kind.__name__} values; got {type(item).__name__}.")
    samples = np.asarray(item.samples)
    if samples.ndim != 1 or samples.dtype.kind != "f":
        raise UnsupportedInput(
            f"Samples are one channel of floats from -1 to 1; got {samples.dtype} of shape {samples.shape}. "
            "Mix channels down, and divide 16-bit numbers by 32768."
        )
    samples = np.ascontiguousarray(samples, np.float32)
    if not np.isfinite(samples).all():
        raise UnsupportedInput("Some samples are infinite or no numbers. What made them is at fault; leave them out.")
    return samples


def on_the_cpu(options: LoadOptions) -> LoadOptions:
    """`device="auto"` is the CPU: a detector's graph takes less time there than it takes to start on a GPU."""
    return attrs.evolve(options, device="cpu") if options.device == "auto" else options


def number(extra: Mapping[str, object], known: Mapping[str, float]) -> Mapping[str, float]:
    """The options in `extra`, and what stands in `known` for those that are not there.

    Raises `UnsupportedInput` for an option that is not known, or one that is no number of at least 0.
    """
    for name, value in extra.items():
        if name not in known:
            raise UnsupportedInput(f"This model has no option {name!r}. It knows: {', '.join(known) or 'none'}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
            raise UnsupportedInput(f"{name} is a number of at least 0; got {value!r}.")
    return {**known, **{name: float(str(value)) for name, value in extra.items()}}
