"""The fake voice detector keeps its contract, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from sauropod.abc import Detected, Heard, SpeechInfo
from sauropod.testing import ContractViolation, FakeSpeechOptions, FakeVoiceDetector, check_voice_detector


@pytest.mark.parametrize("options", [FakeSpeechOptions(), FakeSpeechOptions(batch=1)], ids=str)
def test_the_fake_keeps_the_contract(options: FakeSpeechOptions) -> None:
    check_voice_detector(lambda: FakeVoiceDetector(options))


class Altered(FakeVoiceDetector):
    def _detect(self, item: Heard) -> Detected:
        return self.altered(super()._detect(item), item)

    def altered(self, detected: Detected, heard: Heard) -> Detected:
        raise NotImplementedError


class Wide(Altered):
    def altered(self, detected: Detected, heard: Heard) -> Detected:
        return attrs.evolve(detected, probabilities=detected.probabilities.astype(np.float64))


class Percent(Altered):
    def altered(self, detected: Detected, heard: Heard) -> Detected:
        return attrs.evolve(detected, probabilities=detected.probabilities * 100)


class Nothings(Altered):
    def altered(self, detected: Detected, heard: Heard) -> Detected:
        return attrs.evolve(detected, probabilities=detected.probabilities * np.float32(np.nan))


class Bare(Altered):
    def altered(self, detected: Detected, heard: Heard) -> Detected:
        return detected.probabilities  # type: ignore[return-value]


class Rounding(FakeVoiceDetector):
    """Leaves out what fills no frame."""

    def _detect(self, item: Heard) -> Detected:
        return super()._detect(attrs.evolve(item, last=False))


class Forgetful(FakeVoiceDetector):
    """Begins afresh with every piece."""

    def _detect(self, item: Heard) -> Detected:
        return super()._detect(attrs.evolve(item, state=None))


class Eager(FakeVoiceDetector):
    """Tells of a frame before it is whole."""

    def _detect(self, item: Heard) -> Detected:
        if not item.last and len(item.samples) and item.state is None:
            short = -len(item.samples) % self.info.frame
            item = attrs.evolve(item, samples=np.pad(item.samples, (0, short)))
        return super()._detect(item)


class Lazy(FakeVoiceDetector):
    """Tells everything at the end."""

    def _detect(self, item: Heard) -> Detected:
        if item.last:
            return super()._detect(item)
        before = item.state if item.state is not None else np.zeros(0, np.float32)
        return Detected(np.zeros(0, np.float32), np.concatenate([before, item.samples]))


class Local(Altered):
    """Gives a state that cannot leave the process."""

    def altered(self, detected: Detected, heard: Heard) -> Detected:
        state = detected.state
        return detected if heard.last else attrs.evolve(detected, state=lambda: state)

    def _detect(self, item: Heard) -> Detected:
        return super()._detect(attrs.evolve(item, state=item.state() if item.state is not None else None))


class Worn(Altered):
    """Uses a state up."""

    def altered(self, detected: Detected, heard: Heard) -> Detected:
        if heard.state is not None:
            heard.state[:] = 1.0
        return attrs.evolve(detected, state=np.concatenate([detected.state, np.zeros(0, np.float32)]))


class Singleminded(FakeVoiceDetector):
    """Remembers the last stream itself."""

    memory: Any = None

    def _detect(self, item: Heard) -> Detected:
        state = self.memory if item.state is not None else None
        detected = super()._detect(attrs.evolve(item, state=state))
        self.memory = detected.state
        return attrs.evolve(detected, state="mine")


class Mingling(FakeVoiceDetector):
    """Is moved by the last bit in company."""

    def detect(self, batch: Sequence[Any]) -> Sequence[Detected]:
        detected = super().detect(batch)
        if len(batch) < 2:
            return detected
        return [
            attrs.evolve(each, probabilities=np.nextafter(each.probabilities, np.float32(0.5))) for each in detected
        ]


class Impatient(FakeVoiceDetector):
    """Does not take a piece without samples."""

    def _detect(self, item: Heard) -> Detected:
        if not len(item.samples):
            raise IndexError
        return super()._detect(item)


class Frameless(FakeVoiceDetector):
    @property
    def info(self) -> SpeechInfo:
        return attrs.evolve(super().info, frame=0)


class Hurried(FakeVoiceDetector):
    """Counts frames by the piece and not by the stream: the middle of a piece decides."""

    def _detect(self, item: Heard) -> Detected:
        detected = super()._detect(item)
        loud = np.float32(np.abs(item.samples).mean() if len(item.samples) else 0)
        return attrs.evolve(detected, probabilities=detected.probabilities * loud)


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Wide, "float32"),
        (Percent, "from 0 to 1"),
        (Nothings, "from 0 to 1"),
        (Bare, "no Detected"),
        (Rounding, "one for each frame, the last one filled up"),
        (Forgetful, "in pieces"),
        (Eager, "there are probabilities of"),
        (Lazy, "more than 1 s behind"),
        (Local, "a state cannot be pickled"),
        (Worn, "from the same state twice"),
        (Singleminded, "from the same state twice"),
        (Mingling, "another result than alone"),
        (Impatient, "IndexError"),
        (Frameless, "frame is 0"),
        (Hurried, "in pieces"),
    ],
)
def test_a_detector_that_breaks_the_contract_is_found_out(broken: type[FakeVoiceDetector], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_voice_detector(broken)


class Swapping(FakeVoiceDetector):
    """Lets two streams of a batch go on from each other's samples, as long as neither is at its end."""

    def detect(self, batch: Sequence[Any]) -> Sequence[Detected]:
        detected = list(super().detect(batch))
        if len(batch) > 1 and not any(each.item.last for each in batch):
            first, second = detected[:2]
            detected[0] = attrs.evolve(first, state=np.resize(second.state, len(first.state)))
        return detected


def test_streams_that_mix_are_found_out() -> None:
    with pytest.raises(ContractViolation, match="beside other streams"):
        check_voice_detector(Swapping)
