"""What every turn detector must do, whoever wrote it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sauropod.abc import Clip, SpeechInfo, TurnDetector
from sauropod.testing.sounds import no_sounds, sounds, vowels
from sauropod.testing.speech_conformance import Contract, Held, hold
from sauropod.testing.violation import require

__all__ = ["check_turn_detector"]

ROUNDING = 0.02
"""How far two results may be apart that need not be exactly the same."""


def check_turn_detector(make: Callable[[], TurnDetector], *, exact: bool = True) -> None:
    """Hold a model to the contract of `sauropod.abc.TurnDetector`.

    `make` gives a newly loaded model each time it is called; the check closes it. With `exact` a clip is judged the
    same whoever shares its batch; without, to within 0.02.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    contract = Contract[Clip, float](
        kind="turn_detector", items=_clips, bad=_bad, check=_check, difference=partial(_difference, exact)
    )
    hold(contract, make, [_short_and_long])


def _clips(info: SpeechInfo) -> Sequence[Clip]:
    return [Clip(samples) for samples in sounds(info.sample_rate)]


def _bad(info: SpeechInfo) -> Mapping[str, Any]:
    return {what: Clip(samples) for what, samples in no_sounds().items()}


def _check(info: SpeechInfo, clip: Clip, judged: float) -> None:
    require(isinstance(judged, float), f"judge() gave a {type(judged).__name__} and no float")
    require(math.isfinite(judged) and 0 <= judged <= 1, f"judge() gave {judged}, which is not from 0 to 1")


def _difference(exact: bool, info: SpeechInfo, judged: float, expected: float) -> str:
    same = judged == expected if exact else abs(judged - expected) <= ROUNDING
    return "" if same else f"{judged} instead of {expected}"


def _short_and_long(held: Held[Clip, float]) -> None:
    """A clip may be of any length, unless it is refused."""
    import numpy as np

    rate = held.info.sample_rate
    longest = np.tile(vowels(2.0, rate), 10)
    for count in (0, 1, rate // 100, len(longest)):
        clip = Clip(longest[:count])
        if held.takes(clip):
            _check(held.info, clip, held.alone(clip))
