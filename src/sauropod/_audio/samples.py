"""Samples of any kind as float32 of one channel, and what cannot be sound."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["MOST_CHANNELS", "as_float", "check_rate", "check_sound", "in_columns", "mono", "one_channel"]

MOST_CHANNELS = 64
LOUDEST = 100.0
"""40 dB above full scale. What is louder was never divided by 32768."""

INTEGERS = {"int8": (0, 128), "uint8": (128, 128), "int16": (0, 1 << 15), "int32": (0, 1 << 31)}
"""What stands for silence, and for full scale."""


def in_columns(array: Any, name: str = "The array") -> NDArray[Any]:
    """The same as [n, channels]: [n] is one channel, and of two axes the shorter one counts channels."""
    import numpy as np

    samples = np.asarray(array)
    if samples.ndim == 2 and samples.shape[0] < samples.shape[1]:
        samples = samples.T
    elif samples.ndim == 1:
        samples = samples[:, None]
    if samples.ndim != 2 or samples.shape[1] > MOST_CHANNELS:
        raise UnsupportedInput(
            f"{name} has the shape {np.shape(array)}. Give samples of one channel as [n], or of up to {MOST_CHANNELS} "
            "channels as [n, channels]."
        )
    if samples.dtype.kind != "f" and samples.dtype.name not in INTEGERS:
        raise UnsupportedInput(
            f"{name} holds {samples.dtype.name}. Give floats from -1 to 1, or int8, uint8, int16 or int32, of which "
            "the largest number is full scale."
        )
    if not samples.size:
        raise UnsupportedInput(f"{name} holds no samples.")
    return samples


def as_float(samples: NDArray[Any]) -> NDArray[np.float32]:
    """float32 of the same shape: integers so that full scale is 1."""
    import numpy as np

    if samples.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what a float32 cannot hold is infinite then, and refused
            return samples.astype(np.float32, copy=False)
    silence, full = INTEGERS[samples.dtype.name]
    floats: NDArray[np.float32] = (samples.astype(np.float32) - np.float32(silence)) / np.float32(full)
    return floats


def check_sound(samples: NDArray[np.float32], first: int, rate: int, name: str = "The array") -> None:
    """Raise if one of [n, channels] is no number, or so large that it cannot be meant. `first` came before."""
    import numpy as np

    peak = float(np.abs(samples).max(initial=0.0))
    if peak <= LOUDEST:
        return
    place, channel = (int(index[0]) for index in np.nonzero(~(np.abs(samples) <= LOUDEST)))
    value = float(samples[place, channel])
    where = f"sample {first + place:,} ({(first + place) / rate:.3f} s) of channel {channel}"
    if not np.isfinite(value):
        raise UnsupportedInput(f"{name} has {value} as {where}. Samples must be numbers: look at what computed them.")
    raise UnsupportedInput(
        f"{name} has {value:,.0f} as {where}, and full scale is 1. Divide 16-bit samples by 32768, or give int16."
    )


def check_rate(rate: Any, name: str = "The sample rate") -> int:
    """`rate` as an int, if it can be one of sound."""
    import numpy as np

    from sauropod._speech.resampler import HIGHEST_RATE, LOWEST_RATE

    whole = isinstance(rate, int | np.integer) or (isinstance(rate, float) and rate.is_integer())
    if not whole or isinstance(rate, bool) or not LOWEST_RATE <= rate <= HIGHEST_RATE:
        shown = f"{rate:,}" if isinstance(rate, int) and not isinstance(rate, bool) else repr(rate)
        raise UnsupportedInput(
            f"{name} must be a whole number of samples a second, from {LOWEST_RATE:,} to {HIGHEST_RATE:,}; got {shown}."
        )
    return int(rate)


def mono(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The mean of the channels: [n, channels] -> [n]."""
    import numpy as np

    if samples.shape[1] == 1:
        return np.ascontiguousarray(samples[:, 0])
    channels = samples.shape[1]
    mixed: NDArray[np.float32] = samples @ np.full(channels, 1 / channels, np.float32)  # 20 times as fast as mean()
    return mixed


def one_channel(samples: Any, rate: int, first: int = 0) -> NDArray[np.float32]:
    """What is to be written or played: anything that `in_columns` takes, checked and mixed. Empty is fine."""
    import numpy as np

    if not np.size(samples):
        return np.zeros(0, np.float32)
    floats = as_float(in_columns(samples))
    check_sound(floats, first, rate)
    return mono(floats)
