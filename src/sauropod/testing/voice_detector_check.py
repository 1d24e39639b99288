"""What every voice detector must do, whoever wrote it."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from sauropod.abc import Detected, Heard, SpeechInfo, VoiceDetector
from sauropod.testing.sounds import no_sounds, sounds
from sauropod.testing.speech_conformance import Contract, Held, hold
from sauropod.testing.violation import ContractViolation, require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["check_voice_detector"]

HeldDetector: TypeAlias = Held[Heard, Detected]

BEHIND = 1.0
"""Seconds that the probabilities may be behind the samples, at most."""
CUTTINGS = 4


def check_voice_detector(make: Callable[[], VoiceDetector]) -> None:
    """Hold a model to the contract of `sauropod.abc.VoiceDetector`.

    `make` gives a newly loaded model each time it is called; the check closes it. Probabilities must be the same, bit
    by bit, however a stream is cut into pieces and whoever shares the batch, so there is no tolerance.

    Raises `ContractViolation`, with what was expected, at the first breach.
    """
    contract = Contract[Heard, Detected](
        kind="voice_detector", items=_streams, bad=_bad, check=_check, difference=_difference
    )
    hold(contract, make, [_counts, _pieces, _streams_are_apart])


def _streams(info: SpeechInfo) -> Sequence[Heard]:
    """Whole streams, each in one piece."""
    return [Heard(samples, None, True) for samples in sounds(info.sample_rate)]


def _bad(info: SpeechInfo) -> Mapping[str, Any]:
    return {what: Heard(samples) for what, samples in no_sounds().items()}


def _check(info: SpeechInfo, heard: Heard, detected: Detected) -> None:
    """Of a whole stream."""
    _check_probabilities(detected)
    count, expected = len(detected.probabilities), -(-len(heard.samples) // info.frame)
    require(
        count == expected,
        f"of {len(heard.samples)} samples in frames of {info.frame}, detect() gave {count} probabilities at the end "
        f"instead of {expected}, one for each frame, the last one filled up",
    )


def _check_probabilities(detected: Detected) -> None:
    import numpy as np

    require(isinstance(detected, Detected), f"detect() gave a {type(detected).__name__} and no Detected")
    told = detected.probabilities
    require(
        isinstance(told, np.ndarray) and told.dtype == np.float32 and told.ndim == 1,
        f"probabilities are float32 [k]; got {getattr(told, 'dtype', type(told))} {getattr(told, 'shape', '')}",
    )
    wrong = told[~((told >= 0) & (told <= 1))]
    require(not len(wrong), f"probabilities are from 0 to 1; got {wrong[:3]}")


def _difference(info: SpeechInfo, detected: Detected, expected: Detected) -> str:
    return _told_apart(detected.probabilities, expected.probabilities)


def _told_apart(told: NDArray[np.float32], expected: NDArray[np.float32]) -> str:
    import numpy as np

    if len(told) != len(expected):
        return f"{len(told)} probabilities instead of {len(expected)}"
    other = np.flatnonzero(told != expected)
    if not len(other):
        return ""
    first = other[0]
    return f"{len(other)} other probabilities, the first {told[first]!r} instead of {expected[first]!r} at {first}"


# -- streams in pieces -------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class _Stream:
    """A stream that is fed piece by piece."""

    held: HeldDetector
    samples: NDArray[np.float32]
    cuts: Sequence[int]
    """Where pieces begin, but for the first."""
    told: list[NDArray[np.float32]] = attrs.field(factory=list)
    state: Any = None
    fed: int = 0

    def pieces(self) -> Iterator[Heard]:
        """One after the other, each with the state as it is then, after a trip to another process and back."""
        for place, end in enumerate([*self.cuts, len(self.samples)]):
            piece, self.fed = self.samples[self.fed : end], end
            yield Heard(piece, self._carried(), place == len(self.cuts))

    def take(self, detected: Detected, *, last: bool) -> None:
        _check_probabilities(detected)
        self.told.append(detected.probabilities)
        self.state = detected.state
        if last:
            return
        info = self.held.info
        count = sum(map(len, self.told))
        require(count <= self.fed // info.frame, f"after {self.fed} samples there are probabilities of {count} frames")
        due = (self.fed - BEHIND * info.sample_rate) / info.frame - 1
        require(count >= due, f"after {self.fed} samples probabilities are more than {BEHIND:g} s behind: {count}")

    @property
    def all_told(self) -> NDArray[np.float32]:
        import numpy as np

        return np.concatenate(self.told)

    def _carried(self) -> Any:
        try:
            return pickle.loads(pickle.dumps(self.state))
        except Exception as error:
            raise ContractViolation(f"a state cannot be pickled: {error!r}") from error


def _cut(length: int, frame: int, seed: int) -> Sequence[int]:
    """Where to cut: single samples, pieces of any size and pieces without any, or frame by frame."""
    import numpy as np

    if seed == 0:
        return list(range(frame, length, frame))
    random = np.random.default_rng(seed)
    sizes = [0, *random.integers(0, 3, 4), *random.integers(1, 6 * frame, length // frame), frame, 0]
    random.shuffle(sizes)
    return [int(place) for place in np.cumsum(sizes) if place <= length]


def _whole(held: HeldDetector, samples: NDArray[np.float32]) -> NDArray[np.float32]:
    return held.alone(Heard(samples, None, True)).probabilities


def _counts(held: HeldDetector) -> None:
    """A stream may be of any length, none included."""
    frame, samples = held.info.frame, sounds(held.info.sample_rate)[1]
    for length in (0, 1, frame - 1, frame, frame + 1, 2 * frame, 7 * frame + frame // 2):
        stream = Heard(samples[:length], None, True)
        _check(held.info, stream, held.alone(stream))


def _pieces(held: HeldDetector) -> None:
    """However a stream is cut into pieces, it is the same; and a piece may be heard again, from the same state."""
    for number, samples in enumerate(sounds(held.info.sample_rate)[:CUTTINGS]):
        expected = _whole(held, samples)
        stream = _Stream(held, samples, _cut(len(samples), held.info.frame, seed=number))
        for place, piece in enumerate(stream.pieces()):
            detected = held.alone(piece)
            if place % 3 == 0:
                again = held.alone(piece)
                difference = _told_apart(again.probabilities, detected.probabilities)
                require(not difference, f"gone on from the same state twice, detect() gave {difference}")
            stream.take(detected, last=piece.last)
        difference = _told_apart(stream.all_told, expected)
        require(not difference, f"in pieces that begin at {stream.cuts}, a stream has {difference}")


def _streams_are_apart(held: HeldDetector) -> None:
    """Streams that come together, each in its own pieces, are the same as alone."""
    samples = sounds(held.info.sample_rate)
    expected = [_whole(held, each) for each in samples]
    streams = [
        _Stream(held, each, _cut(len(each), held.info.frame, seed=place % CUTTINGS))
        for place, each in enumerate(samples)
    ]
    going = [(stream, stream.pieces()) for stream in streams]
    while going:
        turn = going[: held.info.batch]
        heard = [next(pieces) for _, pieces in turn]
        for (stream, _), piece, detected in zip(turn, heard, held.ask(heard), strict=True):
            stream.take(detected, last=piece.last)
        ended = [piece.last for piece in heard]
        left = [each for each, last in zip(turn, ended, strict=True) if not last]
        going = [*going[len(turn) :], *left]  # others come first now, so that company changes
    for place, stream in enumerate(streams):
        difference = _told_apart(stream.all_told, expected[place])
        require(not difference, f"beside other streams, stream {place} has {difference}")
