"""Whether a clip is one that a recogniser can hear."""

from __future__ import annotations

from typing import Any

import numpy as np

from sauropod._values.speech import Clip, SpeechInfo
from sauropod.errors import UnsupportedInput

__all__ = ["check_clip"]


def check_clip(item: Any, info: SpeechInfo) -> Clip:
    """The clip. Raises `UnsupportedInput` where it is none, is empty, too long, no number, or in another language."""
    if not isinstance(item, Clip):
        raise UnsupportedInput(f"{info.name} recognises a Clip; got {type(item).__name__}.")
    samples = item.samples
    if not isinstance(samples, np.ndarray) or samples.dtype != np.float32 or samples.ndim != 1:
        what = f"{samples.dtype} {list(samples.shape)}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise UnsupportedInput(f"Audio is a numpy array of float32 [samples], one channel; got {what}.")
    if not len(samples):
        raise UnsupportedInput("The audio is empty: there is nothing to recognise.")
    seconds = len(samples) / info.sample_rate
    if info.max_seconds and seconds > info.max_seconds:
        raise UnsupportedInput(
            f"The audio is {seconds:.1f} s long, and {info.name} hears {info.max_seconds:.0f} s at once. "
            "Cut it at silences."
        )
    if not np.isfinite(samples).all():
        raise UnsupportedInput("The audio has samples that are no numbers (NaN or infinite).")
    if item.language is not None and info.languages and _primary(item.language) not in map(_primary, info.languages):
        raise UnsupportedInput(
            f"{info.name} does not hear {item.language!r}, but {', '.join(info.languages)}. Leave language out, or "
            "load a model that does."
        )
    return item


def _primary(tag: str) -> str:
    """The language of a BCP-47 tag: `"en"` of `"en-US"`."""
    return tag.replace("_", "-").partition("-")[0].lower()
