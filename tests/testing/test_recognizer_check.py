"""The fake recogniser keeps its contract, and one that does not is found out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from sauropod.abc import Clip, Recognized, Word
from sauropod.errors import UnsupportedInput
from sauropod.testing import ContractViolation, FakeRecognizer, FakeSpeechOptions, check_recognizer, speech_of


@pytest.mark.parametrize("options", [FakeSpeechOptions(), FakeSpeechOptions(batch=1, max_seconds=2)], ids=str)
def test_the_fake_keeps_the_contract(options: FakeSpeechOptions) -> None:
    check_recognizer(lambda: FakeRecognizer(options))


class Altered(FakeRecognizer):
    """Changes what it hears."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return [self.altered(each, len(batch)) for each in super().recognize(batch)]

    def altered(self, heard: Recognized, size: int) -> Recognized:
        raise NotImplementedError

    def words(self, heard: Recognized, **changes: Any) -> Recognized:
        """With changes to the last word."""
        if not heard.words:
            return heard
        return attrs.evolve(heard, words=(*heard.words[:-1], attrs.evolve(heard.words[-1], **changes)))


class Deaf(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return Recognized("")


class Spacious(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return attrs.evolve(heard, text=f" {heard.text}")


class Talkative(Altered):
    """Has text that is in no word."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        return attrs.evolve(heard, text=f"{heard.text} and so on")


class Blank(Altered):
    """Has a word of nothing."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        return attrs.evolve(heard, words=(*heard.words, Word("", 0.1, 0.2)))


class Reversed(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, start=1.0, end=0.5)


class Shuffled(Altered):
    """Has the last word at the beginning."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, start=0.0, end=0.01)


class Endless(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, end=10.0)


class Certain(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, confidence=1.01)


class Timeless(Altered):
    """Does not know when."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, end=float("nan"))


class Polyglot(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return attrs.evolve(heard, language=("en", "de"))  # type: ignore[arg-type]


class Plain(FakeRecognizer):
    """Gives no more than the text."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return [each.text for each in super().recognize(batch)]  # type: ignore[misc]


class Patient(FakeRecognizer):
    """Takes clips of any length, whatever it says."""

    def prepare(self, item: Clip) -> Any:
        return super().prepare(attrs.evolve(item, samples=item.samples[: 16_000 * 30]))


class Impatient(FakeRecognizer):
    """Hears less than it says."""

    def prepare(self, item: Clip) -> Any:
        if len(item.samples) > 29.9 * 16_000:
            raise UnsupportedInput("too long")
        return super().prepare(item)


class Breathless(FakeRecognizer):
    """Takes a clip of one sample, and cannot hear it."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        if any(len(each.item.samples) < 10 for each in batch):
            raise ZeroDivisionError
        return super().recognize(batch)


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Deaf, "nothing was heard"),
        (Spacious, "begins or ends with a space"),
        (Talkative, "does not consist of the words"),
        (Blank, "a word is ''"),
        (Reversed, "ends before it begins"),
        (Shuffled, "out of order"),
        (Endless, "outside of a clip"),
        (Certain, "from 0 to 1"),
        (Timeless, "ends before it begins"),
        (Polyglot, "the language is"),
        (Plain, "no Recognized"),
        (Patient, r"took a clip longer than info\.max_seconds"),
        (Impatient, r"refused a clip of 30.0 s, which is info\.max_seconds"),
        (Breathless, "ZeroDivisionError"),
    ],
)
def test_a_recognizer_that_breaks_the_contract_is_found_out(broken: type[FakeRecognizer], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_recognizer(broken)


def test_an_empty_clip_is_refused() -> None:
    class Hollow(FakeRecognizer):
        def prepare(self, item: Clip) -> Any:
            return super().prepare(item if len(item.samples) else Clip(np.zeros(1, np.float32)))

    with pytest.raises(ContractViolation, match="took a clip without samples"):
        check_recognizer(Hollow)


# -- in company, nearly the same ---------------------------------------------------------------------------------------


class Rounding(Altered):
    """A little less sure in company, and a frame later."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        if size == 1 or not heard.words:
            return heard
        last = heard.words[-1]
        return self.words(heard, confidence=0.99, start=max(0.0, last.start - 0.02))


class Mishearing(Altered):
    """Hears another last word in company."""

    def altered(self, heard: Recognized, size: int) -> Recognized:
        words = heard.text.split()
        return Recognized(" ".join([*words[:-1], "what"])) if size > 1 and words else Recognized(heard.text)


class Late(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        later = [attrs.evolve(word, start=word.start + 0.15, end=word.end + 0.15) for word in heard.words]
        return attrs.evolve(heard, words=later) if size > 1 else heard


class Unsure(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return self.words(heard, confidence=0.8) if size > 1 else heard


class Foreign(Altered):
    def altered(self, heard: Recognized, size: int) -> Recognized:
        return attrs.evolve(heard, language="fr") if size > 1 else heard


def test_native_rounding_is_allowed_only_where_it_is_asked_for() -> None:
    check_recognizer(Rounding, exact=False)
    with pytest.raises(ContractViolation, match="another result than alone"):
        check_recognizer(Rounding)


@pytest.mark.parametrize("broken", [Mishearing, Late, Unsure, Foreign])
def test_what_is_more_than_rounding_is_found_out(broken: type[FakeRecognizer]) -> None:
    with pytest.raises(ContractViolation, match="another result than alone"):
        check_recognizer(broken, exact=False)


def test_clips_of_ones_own_are_heard_first() -> None:
    heard: list[str] = []

    class Spying(FakeRecognizer):
        def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
            found = super().recognize(batch)
            heard.extend(each.text for each in found)
            return found

    check_recognizer(Spying, clips=[speech_of("What I say.")])
    assert heard[0] == "What I say."
