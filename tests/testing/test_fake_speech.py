"""The fakes hear what the fakes say, and notice when they are not used as their contract says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod.abc import Clip, Heard, LoadOptions, Phrase, Recognized, Source, SpeechModel, Spoken
from sauropod.errors import BackendError, UnsupportedInput
from sauropod.testing import (
    ContractViolation,
    FakeBackend,
    FakeRecognizer,
    FakeSpeechOptions,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    check_recognizer,
    check_synthesizer,
    check_turn_detector,
    check_voice_detector,
    speech_of,
)

RATE = 16_000
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8)
SENTENCES = st.lists(PRINTABLE, min_size=1, max_size=6).map(" ".join)


def hear(samples: Any, model: FakeRecognizer | None = None) -> Recognized:
    model = model or FakeRecognizer()
    return model.recognize([model.prepare(Clip(samples))])[0]


def say(text: str) -> Spoken:
    model = FakeSynthesizer()
    return model.synthesize([model.prepare(Phrase(text, {"fake": 1.0}))])[0]


@settings(max_examples=50, deadline=None)
@given(SENTENCES, st.integers(0, 3000), st.integers(0, 3000))
def test_any_text_is_heard_as_it_was_said_wherever_it_begins(text: str, before: int, after: int) -> None:
    heard = hear(np.pad(speech_of(text), (before, after)))
    assert heard.text == text
    assert [word.text for word in heard.words] == text.split()
    assert heard.words[0].start == pytest.approx(before / RATE)
    assert heard.words[-1].end == pytest.approx(before / RATE + len(text) * 0.02)


@settings(max_examples=50, deadline=None)
@given(SENTENCES)
def test_what_the_synthesizer_says_is_the_text_at_its_own_rate(text: str) -> None:
    spoken = say(text)
    (mark,) = spoken.marks
    assert np.array_equal(spoken.samples[mark.first : mark.last], speech_of(text, 24_000))
    assert not spoken.samples[mark.last :].any()
    assert (mark.start, mark.end) == (0, len(text))


@settings(max_examples=50, deadline=None)
@given(SENTENCES, st.lists(st.integers(1, 20_000), max_size=5))
def test_the_detector_is_sure_of_speech_and_of_silence(text: str, cuts: list[int]) -> None:
    speech = speech_of(text)
    samples = np.concatenate([np.zeros(320 * 5, np.float32), speech, np.zeros(320 * 5, np.float32)])
    model, state, told = FakeVoiceDetector(), None, list[float]()
    places = sorted(min(cut, len(samples)) for cut in cuts)
    pieces = np.split(samples, places)
    for number, piece in enumerate(pieces, 1):
        (detected,) = model.detect([model.prepare(Heard(piece, state, last=number == len(pieces)))])
        state = detected.state
        told += list(detected.probabilities)
    assert told == [0.0] * 5 + [1.0] * len(text) + [0.0] * 5


@pytest.mark.parametrize(("text", "ended"), [("Well.", 1.0), ("Well,", 0.0)])
def test_a_turn_ends_with_a_full_stop(text: str, ended: float) -> None:
    model = FakeTurnDetector()
    assert model.judge([model.prepare(Clip(speech_of(text)))]) == [ended]


@pytest.mark.parametrize(
    ("name", "check"),
    [
        ("recognizer", check_recognizer),
        ("synthesizer", check_synthesizer),
        ("voice_detector", check_voice_detector),
        ("turn_detector", check_turn_detector),
    ],
)
def test_what_the_backend_loads_keeps_its_contract(name: str, check: Callable[..., None]) -> None:
    check(lambda: FakeBackend().load(Source(name), LoadOptions(extra={"batch": 3})))


# -- strictness --------------------------------------------------------------------------------------------------------

MODELS: list[tuple[type[Any], str, Any]] = [
    (FakeRecognizer, "recognize", Clip(speech_of("a"))),
    (FakeSynthesizer, "synthesize", Phrase("a", {"fake": 1.0})),
    (FakeVoiceDetector, "detect", Heard(speech_of("a"))),
    (FakeTurnDetector, "judge", Clip(speech_of("a"))),
]
every_model = pytest.mark.parametrize(("kind", "method", "item"), MODELS, ids=[each[1] for each in MODELS])


@every_model
def test_an_item_must_be_prepared(kind: type[SpeechModel], method: str, item: Any) -> None:
    with pytest.raises(ContractViolation, match="not prepared"):
        getattr(kind(), method)([item])


@every_model
@pytest.mark.parametrize("count", [0, 5])
def test_a_batch_is_of_the_size_it_was_asked_for(kind: type[SpeechModel], method: str, item: Any, count: int) -> None:
    model = kind()
    with pytest.raises(ContractViolation, match=r"a batch of \d came; info.batch is 4"):
        getattr(model, method)([model.prepare(item)] * count)


@every_model
def test_batches_come_from_one_thread(kind: type[SpeechModel], method: str, item: Any) -> None:
    model = kind()
    thread = threading.Thread(target=lambda: getattr(model, method)([model.prepare(item)]))
    thread.start()
    ready = model.prepare(item)  # which may be anywhere
    thread.join()
    with pytest.raises(ContractViolation, match="two threads"):
        getattr(model, method)([ready])


@every_model
def test_what_is_closed_computes_nothing_and_is_not_closed_again(
    kind: type[SpeechModel], method: str, item: Any
) -> None:
    model = kind()
    ready = model.prepare(item)
    model.close()
    with pytest.raises(ContractViolation, match="after close"):
        getattr(model, method)([ready])
    with pytest.raises(ContractViolation, match="twice"):
        model.close()


def test_shares_of_voices_add_up() -> None:
    with pytest.raises(ContractViolation, match="do not add up to 1"):
        FakeSynthesizer().prepare(Phrase("a", {"fake": 0.5}))


def test_a_voice_that_is_not_there_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="no voice 'fakest'"):
        FakeSynthesizer().prepare(Phrase("a", {"fakest": 1.0}))


@pytest.mark.parametrize("samples", [np.zeros(9), np.zeros((9, 1), np.float32), [0.0]], ids=["wide", "flat", "list"])
def test_samples_are_a_row_of_float32(samples: Any) -> None:
    with pytest.raises(ContractViolation, match=r"samples are float32 \[n\]"):
        FakeRecognizer().prepare(Clip(samples))


# -- faults ------------------------------------------------------------------------------------------------------------


def test_a_batch_fails_in_which_the_text_is_said() -> None:
    model = FakeRecognizer(FakeSpeechOptions(fails_on="bad"))
    assert hear(speech_of("good"), model).text == "good"
    with pytest.raises(BackendError, match="made to fail"):
        hear(speech_of("a bad word"), model)


def test_a_clip_that_is_too_long_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match=r"1\.5 s long, and at most 1"):
        hear(np.zeros(24_000, np.float32), FakeRecognizer(FakeSpeechOptions(max_seconds=1)))
