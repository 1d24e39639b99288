"""What is asked of all models that hear or speak: the fakes keep it, and a model that does not is found out.

What is asked of one kind has tests of its own beside this: `test_recognizer_check.py` and so on.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import attrs
import numpy as np
import pytest

from sauropod.abc import Clip, Recognized, SpeechInfo
from sauropod.errors import UnsupportedInput
from sauropod.testing import (
    ContractViolation,
    FakeRecognizer,
    FakeSpeechOptions,
    FakeTurnDetector,
    check_recognizer,
)
from sauropod.testing.sounds import no_sounds, sounds, vowels

# -- sounds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [8_000, 11_025, 24_000])
def test_sounds_are_what_a_clip_may_hold(rate: int) -> None:
    made = sounds(rate)
    assert len({clip.tobytes() for clip in made}) == len(made)
    for clip in made:
        assert clip.dtype == np.float32
        assert clip.ndim == 1
        assert 0 < len(clip) < 5 * rate
        assert np.abs(clip).max() <= 1


def test_sounds_are_the_callers_own() -> None:
    sounds(16_000)[0][:] = 0
    assert sounds(16_000)[0].any()


def test_vowels_have_their_energy_where_voices_have_theirs() -> None:
    spectrum = np.abs(np.fft.rfft(vowels(2.0, 16_000))) ** 2
    hertz = np.fft.rfftfreq(2 * 16_000, 1 / 16_000)
    assert spectrum[(hertz > 90) & (hertz < 3000)].sum() > 0.95 * spectrum.sum()


def test_what_is_no_sound_is_of_several_kinds() -> None:
    assert len(no_sounds()) >= 5


# -- what a model says of itself ---------------------------------------------------------------------------------------


def told(**changes: Any) -> type[FakeRecognizer]:
    """A recogniser that says something else of itself."""

    class Other(FakeRecognizer):
        @property
        def info(self) -> SpeechInfo:
            return attrs.evolve(super().info, **changes)

    return Other


@pytest.mark.parametrize(
    ("changes", "breach"),
    [
        ({"kind": "synthesizer"}, "checked as a recognizer"),
        ({"name": ""}, r"info\.name is empty"),
        ({"architecture": ""}, r"info\.architecture is empty"),
        ({"sample_rate": 16_000.0}, "sample_rate is 16000.0"),
        ({"sample_rate": 16}, "sample_rate is 16;"),
        ({"sample_rate": 16_000_000}, "192000 or less"),
        ({"frame": -1}, "frame is -1"),
        ({"frame": np.int64(320)}, r"frame is .*; it must be an int"),
        ({"batch": 0}, "batch is 0"),
        ({"max_seconds": float("inf")}, "max_seconds is inf"),
        ({"languages": ("en_US",)}, "BCP-47"),
        ({"voices": ("a", "a")}, "one twice"),
        ({"voices": ("a+b",)}, "for blending"),
        ({"weight_bytes": -1}, "weight_bytes is -1"),
    ],
    ids=str,
)
def test_what_a_model_says_of_itself_makes_sense(changes: dict[str, Any], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_recognizer(told(**changes))


class Restless(FakeRecognizer):
    """Says something else every time."""

    looks = 0

    @property
    def info(self) -> SpeechInfo:
        self.looks += 1
        return attrs.evolve(super().info, parameters=self.looks)


class Growing(FakeRecognizer):
    """Says something else once it has been used."""

    @property
    def info(self) -> SpeechInfo:
        return attrs.evolve(super().info, parameters=len(self.batches))


class Wordless(FakeTurnDetector):
    """A recogniser by name only."""

    @property
    def info(self) -> SpeechInfo:
        return attrs.evolve(super().info, kind="recognizer")


class TwoInOne(FakeRecognizer):
    """Judges turns, too."""

    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        return [0.0 for _ in batch]


# -- what it computes --------------------------------------------------------------------------------------------------


class Short(FakeRecognizer):
    """Gives a result too few."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return super().recognize(batch)[1:]


class Lonely(FakeRecognizer):
    """Fails where there are two."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        if len(batch) > 1:
            raise RuntimeError("one by one, please")
        return super().recognize(batch)


class Backward(FakeRecognizer):
    """Gives results in another order."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return super().recognize(batch)[::-1]


class Mingling(FakeRecognizer):
    """Hears one clip of a batch in another, quietly."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        heard = list(super().recognize(batch))
        return [heard[0], *(attrs.evolve(each, language=f"en-{len(heard)}") for each in heard[1:])]


class Haunted(FakeRecognizer):
    """Cannot forget the clip before."""

    before = ""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        heard = [attrs.evolve(each, language=self.before[:2] or None) for each in super().recognize(batch)]
        self.before = heard[-1].text
        return heard


class Meddling(FakeRecognizer):
    """Makes clips quieter where they are."""

    def prepare(self, item: Clip) -> Any:
        ready = super().prepare(item)
        np.multiply(item.samples, np.float32(0.999), out=item.samples)
        return ready


class Unsendable(FakeRecognizer):
    """Gives what cannot leave the process."""

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        class Tag(str):
            pass

        return [attrs.evolve(each, language=Tag("en")) for each in super().recognize(batch)]


class Gullible(FakeRecognizer):
    """Takes anything."""

    def prepare(self, item: Clip) -> Any:
        return super().prepare(Clip(np.ones(10, np.float32)))


class Rude(FakeRecognizer):
    """Refuses in a way of its own."""

    def prepare(self, item: Clip) -> Any:
        try:
            return super().prepare(item)
        except UnsupportedInput as error:
            raise KeyError("samples") from error


class Offended(FakeRecognizer):
    """Hears nothing any more once it had to refuse something."""

    offended = False

    def prepare(self, item: Clip) -> Any:
        try:
            return super().prepare(item)
        except UnsupportedInput:
            self.offended = True
            raise

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return [Recognized("") if self.offended else each for each in super().recognize(batch)]


class Rooted(FakeRecognizer):
    """Prepares only where it computes."""

    def prepare(self, item: Clip) -> Any:
        if self._thread not in (None, threading.get_ident()):
            raise RuntimeError("wrong thread")
        return super().prepare(item)


class Absentminded(FakeRecognizer):
    """Computes what was prepared last, whatever it is asked for."""

    last: Any = None

    def prepare(self, item: Clip) -> Any:
        self.last = super().prepare(item)
        return self.last

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        return super().recognize([self.last] if len(batch) == 1 else batch)


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Restless, "between two looks"),
        (Growing, "when the model was used"),
        (Wordless, r"has the method recognize\(\), and this model has not"),
        (TwoInOne, r"has judge\(\) too"),
        (Short, "0 results for 1 items"),
        (Lonely, "raised RuntimeError.*refuses what cannot be computed"),
        (Backward, "another result than alone"),
        (Mingling, "another result than alone"),
        (Haunted, "another result than alone"),
        (Meddling, "an item was changed"),
        (Unsendable, "cannot be pickled"),
        (Gullible, "took samples that are NaN"),
        (Rude, "a refusal is an UnsupportedInput"),
        (Offended, "after other items were refused"),
        (Rooted, "wrong thread"),
        (Absentminded, "while another item was prepared"),
    ],
)
def test_a_model_that_breaks_the_contract_is_found_out(broken: type[FakeRecognizer], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_recognizer(lambda: broken(FakeSpeechOptions(batch=1 if broken is Absentminded else 4)))


def test_every_model_that_was_made_is_closed_once() -> None:
    made: list[FakeRecognizer] = []

    def make() -> FakeRecognizer:
        made.append(FakeRecognizer())
        return made[-1]

    check_recognizer(make)
    with pytest.raises(ContractViolation):
        check_recognizer(lambda: made.append(Short()) or made[-1])  # type: ignore[func-returns-value]
    assert len(made) > 5
    assert all(model._closed for model in made)
