"""What every audio codec must do, whoever wrote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from sauropod.abc import AudioCodec, Codes, SpeechInfo
from sauropod.testing.speech_conformance import Contract, Held, hold
from sauropod.testing.violation import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["check_audio_codec"]

LENGTHS = (3, 1, 7, 3, 12, 2)
"""Frames of the items: some alike, so that they can be computed together."""
ROUNDING = 0.02
"""How loud the difference of two results may be that need not be exactly the same, of their loudness."""


def check_audio_codec(
    make: Callable[[], AudioCodec], *, ratios: Sequence[int] = (1, 2, 4), codes: int = 4096, exact: bool = True
) -> None:
    """Hold a model to the contract of `sauropod.abc.AudioCodec`.

    `make` gives a newly loaded model each time it is called; the check closes it. `ratios` are how many codes a frame
    has on each level, and `codes` how many there are to choose from: by default SNAC's. With `exact` an item is decoded
    the same, sample by sample, whoever shares its batch; without, nearly so.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    contract = Contract[Codes, "NDArray[np.float32]"](
        kind="audio_codec",
        items=lambda info: [_codes(ratios, codes, length, seed) for seed, length in enumerate(LENGTHS)],
        bad=lambda info: _bad(ratios, codes),
        check=partial(_check, ratios),
        difference=partial(_difference, exact),
    )
    hold(contract, make, [partial(_says_nothing, ratios)])


def _codes(ratios: Sequence[int], codes: int, frames: int, seed: int) -> Codes:
    import numpy as np

    random = np.random.default_rng(seed)
    return Codes([random.integers(0, codes, frames * ratio) for ratio in ratios])


def _bad(ratios: Sequence[int], codes: int) -> Mapping[str, Any]:
    good = _codes(ratios, codes, 4, seed=0).levels
    low, high, odd = ([level.copy() for level in good] for _ in range(3))
    low[-1][0], high[-1][0] = -1, codes
    odd[-1] = odd[-1][:-1]
    halves: list[Any] = [level / 2 for level in good]
    return {
        "a code below 0": Codes(low),
        f"a code above {codes - 1}": Codes(high),
        "a level that is too short": Codes(odd),
        "too few levels": Codes(good[:-1]),
        "codes that are no whole numbers": Codes(halves),
    }


def _check(ratios: Sequence[int], info: SpeechInfo, codes: Codes, samples: NDArray[np.float32]) -> None:
    import numpy as np

    frames = len(codes.levels[0]) // ratios[0]
    require(
        isinstance(samples, np.ndarray) and samples.dtype == np.float32 and samples.ndim == 1,
        f"samples are float32 [n]; got {getattr(samples, 'dtype', type(samples))} {getattr(samples, 'shape', '')}",
    )
    require(
        len(samples) == frames * info.frame,
        f"{frames} frames gave {len(samples)} samples instead of {frames} times info.frame, which is {info.frame}",
    )
    require(bool(np.isfinite(samples).all()), "some samples are no numbers")
    loudest = float(np.abs(samples).max(initial=0.0))
    require(loudest <= 1, f"a sample is {loudest}; samples are from -1 to 1")


def _difference(exact: bool, info: SpeechInfo, samples: NDArray[np.float32], expected: NDArray[np.float32]) -> str:
    import numpy as np

    off = float(np.sqrt(np.mean((samples - expected) ** 2))) if len(expected) else 0.0
    loud = float(np.sqrt(np.mean(expected**2))) if len(expected) else 0.0
    same = np.array_equal(samples, expected) if exact else off <= ROUNDING * loud
    return "" if same else f"samples that are {off:.2g} off on average, where all are {loud:.2g}"


def _says_nothing(ratios: Sequence[int], held: Held[Codes, NDArray[np.float32]]) -> None:
    """No frames are no sound, unless they are refused."""
    import numpy as np

    nothing = Codes([np.zeros(0, np.int64) for _ in ratios])
    if held.takes(nothing):
        _check(ratios, held.info, nothing, held.alone(nothing))
