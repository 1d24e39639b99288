"""The fake synthesizer keeps its contract, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from sauropod.abc import Mark, Phrase, SpeechInfo, Spoken
from sauropod.errors import UnsupportedInput
from sauropod.testing import ContractViolation, FakeSpeechOptions, FakeSynthesizer, check_synthesizer


@pytest.mark.parametrize("options", [FakeSpeechOptions(), FakeSpeechOptions(batch=1)], ids=str)
@pytest.mark.parametrize("exact", [True, False])
def test_the_fake_keeps_the_contract(options: FakeSpeechOptions, exact: bool) -> None:
    check_synthesizer(lambda: FakeSynthesizer(options), exact=exact)


class Altered(FakeSynthesizer):
    """Changes what it says."""

    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        spoken = super().synthesize(batch)
        return [self.altered(each, ready.item) for each, ready in zip(spoken, batch, strict=True)]

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return spoken


class Quick(Altered):
    """Knows speeds."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        step = {2.0: 2, 1.0: 1, 0.5: 1}[phrase.speed]
        samples = np.repeat(spoken.samples, 2) if phrase.speed == 0.5 else spoken.samples[::step]
        return Spoken(samples, [Mark(0, len(phrase.text), 0, len(samples))] if len(samples) else ())


class Unhurried(FakeSynthesizer):
    """Refuses speeds, and voices that are blended."""

    def prepare(self, item: Phrase) -> Any:
        if item.speed != 1 or len(item.voice) > 1:
            raise UnsupportedInput("as I am")
        return super().prepare(item)


def test_one_that_knows_speeds_keeps_the_contract_and_so_does_one_that_refuses_them() -> None:
    check_synthesizer(Quick)
    check_synthesizer(Unhurried)


class Wide(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, samples=spoken.samples.astype(np.float64))


class Loud(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, samples=spoken.samples * 2)


class Nothings(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, samples=spoken.samples * np.float32(np.nan))


class Mute(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, samples=spoken.samples * np.float32(0.001))


class Unmarked(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return Spoken(spoken.samples)


class Skipping(Altered):
    """Marks only the first letters."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[attrs.evolve(mark, end=4) for mark in spoken.marks])


class Hasty(Altered):
    """Marks only the first half of the samples."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[attrs.evolve(mark, last=mark.last // 2) for mark in spoken.marks])


class Overlapping(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[*spoken.marks, *spoken.marks])


class Reversed(Altered):
    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[Mark(mark.end, mark.start, 0, mark.last) for mark in spoken.marks])


class Stripping(Altered):
    """Counts characters to beyond the end."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[attrs.evolve(mark, end=mark.end + 1) for mark in spoken.marks])


class Overrunning(Altered):
    """Marks samples that are not there."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return attrs.evolve(spoken, marks=[attrs.evolve(mark, last=mark.last + 24_000) for mark in spoken.marks])


class Chatty(Altered):
    """Hums where there is nothing to say."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return spoken if len(spoken.samples) else Spoken(np.zeros(3 * 24_000, np.float32))


class Reluctant(FakeSynthesizer):
    """Takes it for an error if there is nothing to say."""

    def prepare(self, item: Phrase) -> Any:
        if item.text and not item.text.strip():
            raise UnsupportedInput("nothing to say")
        return super().prepare(item)


class Choking(Altered):
    """Fails at what it cannot say."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return Spoken(spoken.samples, spoken.marks) if len(spoken.samples) else spoken.missing  # type: ignore[attr-defined]


class Breathless(Altered):
    """Says no more than two seconds."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        samples = spoken.samples[:48_000]
        return Spoken(samples, [attrs.evolve(mark, last=min(mark.last, len(samples))) for mark in spoken.marks])


class Contrary(Altered):
    """Is slower the faster it should be."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        samples = np.repeat(spoken.samples, max(1, int(phrase.speed)))
        return Spoken(samples, [attrs.evolve(mark, last=len(samples)) for mark in spoken.marks])


class Hoarse(Altered):
    """Has lost one of its voices."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        lost = phrase.text.startswith("Good morning") and phrase.voice == {"faker": 1.0}
        return Spoken(spoken.samples[:0]) if lost else spoken


class Curdled(Altered):
    """Blends into what is no sound."""

    def altered(self, spoken: Spoken, phrase: Phrase) -> Spoken:
        return Spoken(spoken.samples * np.float32(np.inf), spoken.marks) if len(phrase.voice) > 1 else spoken


class Voiceless(FakeSynthesizer):
    @property
    def info(self) -> SpeechInfo:
        return attrs.evolve(super().info, voices=())


class Welcoming(FakeSynthesizer):
    """Takes any voice for its own."""

    def prepare(self, item: Phrase) -> Any:
        return super().prepare(attrs.evolve(item, voice={"fake": 1.0}))


class Modest(FakeSynthesizer):
    """Has a voice that it does not speak with."""

    def prepare(self, item: Phrase) -> Any:
        if item.voice == {"faker": 1.0} and item.text.startswith("Good"):
            raise UnsupportedInput("not today")
        return super().prepare(item)


class Bare(FakeSynthesizer):
    """Gives nothing but samples."""

    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        return [each.samples for each in super().synthesize(batch)]  # type: ignore[misc]


class Choral(FakeSynthesizer):
    """Is a little louder in company."""

    gain = 1.03

    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        gain = np.float32(self.gain if len(batch) > 1 else 1)
        return [attrs.evolve(each, samples=each.samples * gain) for each in super().synthesize(batch)]


class Recycling(FakeSynthesizer):
    """Says everything into the same memory."""

    memory = np.zeros(24_000 * 60, np.float32)

    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        at, spoken = 0, list[Spoken]()
        for each in super().synthesize(batch):
            target = self.memory[at : at + len(each.samples)]
            target[:] = each.samples
            spoken.append(attrs.evolve(each, samples=target))
            at += len(target)
        return spoken


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Wide, "float32"),
        (Loud, "samples are from -1 to 1"),
        (Nothings, "no numbers"),
        (Mute, "was not said"),
        (Unmarked, "no mark covers"),
        (Skipping, "no mark covers"),
        (Hasty, "the marks cover .*% of the sound"),
        (Overlapping, "one lies over another"),
        (Reversed, "ends before it begins"),
        (Stripping, "is outside of"),
        (Overrunning, "is outside of"),
        (Chatty, r"nothing to say .* 3\.0 s"),
        (Reluctant, "nothing is said"),
        (Choking, "AttributeError"),
        (Breathless, "20 times in a row"),
        (Contrary, r"at the speed of 2 a phrase took 2\.00 times"),
        (Hoarse, "was not said"),
        (Curdled, "no numbers"),
        (Voiceless, r"info\.voices is empty"),
        (Welcoming, r"took a voice that is not in info\.voices"),
        (Modest, "refused the voice 'faker'"),
        (Bare, "no Spoken"),
        (Choral, "another result than alone"),
        (Recycling, "another result than alone"),
    ],
)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
def test_a_synthesizer_that_breaks_the_contract_is_found_out(
    broken: type[FakeSynthesizer], breach: str, exact: bool
) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_synthesizer(broken, exact=exact)


def test_native_rounding_is_allowed_only_where_it_is_asked_for() -> None:
    class Rounding(Choral):
        gain = 1.001

    check_synthesizer(Rounding, exact=False)
    with pytest.raises(ContractViolation, match=r"up to .* off"):
        check_synthesizer(Rounding)


def test_voices_that_are_not_asked_for_need_not_speak() -> None:
    check_synthesizer(Modest, voices=["fake"])
    check_synthesizer(Modest, texts=["Other words.", "And others."])
