"""One model that hears or speaks in a worker: who shares a batch, and what becomes of items that are wrong."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from sauropod._runtime.protocol import Answer, Compute, CountTokens, Embed, Failed, Generate, PromptText, Replies
from sauropod._runtime.speech_hosting import SpeechHost
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import AudioCodec, Clip, Codes, Heard, Phrase, SpeechInfo, SpeechModel
from sauropod.errors import BackendError, UnsupportedInput
from sauropod.testing import (
    FakeRecognizer,
    FakeSpeechOptions,
    FakeSynthesizer,
    FakeTurnDetector,
    FakeVoiceDetector,
    speech_of,
)

RATE = 16_000


class FakeCodec(AudioCodec):
    """Frames of one sample, which is the first level's code."""

    @property
    def info(self) -> SpeechInfo:
        return SpeechInfo(
            name="fake", backend="fake", architecture="one", kind="audio_codec", sample_rate=RATE, frame=1
        )

    def decode_audio(self, batch: Sequence[Any]) -> Sequence[Any]:
        return [codes.levels[0].astype(np.float32) for codes in batch]


def host_of(model: SpeechModel) -> SpeechHost:
    return SpeechHost(model, SchedulerOptions(ageing=1e9))


def ask(host: SpeechHost, id: int, *items: Any, priority: Priority = Priority.NORMAL) -> None:
    host.accept(Compute(id, 1, items, priority), time.monotonic())()


def finish(host: SpeechHost) -> Replies:
    replies: Replies = []
    for _ in range(1000):
        if host.urgency(time.monotonic()) is None:
            return replies
        replies += host.step(time.monotonic)
    raise AssertionError("the host does not come to an end")


def clip(text: str) -> Clip:
    return Clip(speech_of(text))


def silence(seconds: float) -> Clip:
    return Clip(np.zeros(round(seconds * RATE), np.float32))


def texts(reply: Any) -> list[str]:
    assert isinstance(reply, Answer)
    return [heard.text for heard in reply.value]


# -- every kind of model -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "item", "value"),
    [
        (FakeRecognizer(), clip("Hi."), lambda result: result.text == "Hi."),
        (FakeSynthesizer(), Phrase("Hi.", {"fake": 1.0}), lambda result: len(result.samples) > 0),
        (FakeVoiceDetector(), Heard(speech_of("Hi."), None, True), lambda result: result.probabilities.all()),
        (FakeTurnDetector(), clip("Hi."), lambda result: result == 1.0),
        (FakeCodec(), Codes([np.arange(3)]), lambda result: list(result) == [0, 1, 2]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_each_kind_computes_in_its_own_way(model: SpeechModel, item: Any, value: Any) -> None:
    host = host_of(model)
    ask(host, 7, item)
    ((id, reply),) = finish(host)
    assert id == 7
    assert isinstance(reply, Answer)
    assert value(reply.value[0])


def test_what_is_of_no_kind_is_refused() -> None:
    class Nothing(SpeechModel):
        info = FakeRecognizer().info

    with pytest.raises(BackendError, match=r"Nothing is none of the models that sauropod\.abc describes"):
        host_of(Nothing())


def test_closing_closes_the_model() -> None:
    model = FakeRecognizer()
    host_of(model).close()
    assert model._closed


# -- batches -----------------------------------------------------------------------------------------------------------


def test_items_of_many_callers_share_batches_of_the_models_size() -> None:
    model = FakeRecognizer(FakeSpeechOptions(batch=4))
    host = host_of(model)
    for id in range(5):
        ask(host, id, clip(f"{id} a"), clip(f"{id} b"))
    assert {id: texts(reply) for id, reply in finish(host)} == {id: [f"{id} a", f"{id} b"] for id in range(5)}
    assert model.batches == [4, 4, 2]


def test_the_less_urgent_do_not_share_the_batch_of_the_urgent() -> None:
    model = FakeRecognizer(FakeSpeechOptions(batch=4))
    host = host_of(model)
    ask(host, 1, *[clip("later")] * 3, priority=Priority.BACKGROUND)
    ask(host, 2, clip("soon"))
    ask(host, 3, clip("now"), priority=Priority.LIVE)
    ask(host, 4, clip("now, too"), priority=Priority.LIVE)
    assert [id for id, _ in finish(host)] == [3, 4, 2, 1]
    assert model.batches == [2, 1, 3]


def test_what_is_urgent_comes_before_the_rest_of_what_is_not() -> None:
    model = FakeRecognizer(FakeSpeechOptions(batch=2))
    host = host_of(model)
    ask(host, 1, *[clip("later")] * 5, priority=Priority.BACKGROUND)
    assert host.step(time.monotonic) == []
    ask(host, 2, clip("now"), priority=Priority.HEARING)
    ((id, _),) = host.step(time.monotonic)
    assert id == 2
    assert [id for id, _ in finish(host)] == [1]
    assert model.batches == [2, 1, 2, 1]


def test_those_who_wait_long_enough_are_served_beside_the_urgent() -> None:
    host = SpeechHost(FakeRecognizer(FakeSpeechOptions(batch=1)), SchedulerOptions(ageing=5.0))
    clock = itertools.count(1.0)  # seconds
    host.accept(Compute(0, 1, [clip("at last")], Priority.BACKGROUND), 0.0)()
    for id in range(1, 100):
        now = next(clock)
        host.accept(Compute(id, 1, [clip("now")], Priority.LIVE), now)()
        if 0 in dict(host.step(lambda now=now: now)):  # type: ignore[misc]
            break
    assert now == 5.0 * (Priority.BACKGROUND - Priority.LIVE)


def test_a_step_hears_a_minute_at_most_unless_one_clip_is_longer() -> None:
    model = FakeRecognizer(FakeSpeechOptions(batch=4, max_seconds=100))
    host = host_of(model)
    for id, seconds in enumerate((25, 30, 25, 90, 1)):
        ask(host, id, silence(seconds))
    finish(host)
    assert model.batches == [2, 1, 1, 1]


def test_phrases_count_by_their_number() -> None:
    model = FakeSynthesizer(FakeSpeechOptions(batch=3))
    host = host_of(model)
    ask(host, 1, *[Phrase("a long phrase " * 100, {"fake": 1.0})] * 7)
    finish(host)
    assert model.batches == [3, 3, 1]


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_clip_that_fails_does_not_fail_those_of_others() -> None:
    host = host_of(FakeRecognizer(FakeSpeechOptions(fails_on="bad")))
    for id, text in enumerate(("one", "this is bad", "two")):
        ask(host, id, clip(text))
    replies = dict(finish(host))
    assert texts(replies[0]) == ["one"]
    assert texts(replies[2]) == ["two"]
    failed = replies[1]
    assert isinstance(failed, Failed)
    with pytest.raises(BackendError, match="made to fail"):
        failed.throw()


class Polite(FakeRecognizer):
    """Refuses as a real one does."""

    def prepare(self, item: Any) -> Any:
        if not isinstance(item, Clip) or not isinstance(item.samples, np.ndarray):
            raise UnsupportedInput("a clip, please")
        return super().prepare(item)


NO_SAMPLES: Any = 3


@pytest.mark.parametrize(
    "item",
    [
        silence(31),
        silence(0),
        Clip(np.full(9, np.nan, np.float32)),
        Clip(NO_SAMPLES),
        Heard(NO_SAMPLES),
        Phrase("Hi", {}),
        None,
    ],
    ids=lambda each: type(each).__name__,
)
def test_an_item_that_is_wrong_is_refused_before_it_waits(item: Any) -> None:
    host = host_of(Polite())
    with pytest.raises(UnsupportedInput):
        ask(host, 1, clip("good"), item)
    assert finish(host) == []


@pytest.mark.parametrize(
    "request_",
    [
        Embed(1, 1, ["text"]),
        CountTokens(1, 1, PromptText(text="text")),
        Generate(1, 1, PromptText(text="text"), SamplingParams(), Priority.NORMAL, False),
    ],
    ids=lambda each: type(each).__name__,
)
def test_requests_for_text_are_refused(request_: Any) -> None:
    with pytest.raises(UnsupportedInput, match="fake is a voice detector and writes no text"):
        host_of(FakeVoiceDetector()).accept(request_, 0.0)


def test_what_was_cancelled_is_not_computed() -> None:
    model = FakeRecognizer()
    host = host_of(model)
    ask(host, 1, clip("gone"))
    ask(host, 2, clip("here"))
    host.interrupt(1)
    host.cancel(1)
    assert {id: texts(reply) for id, reply in finish(host)} == {2: ["here"]}
    assert model.batches == [1]


def test_no_items_are_no_results() -> None:
    host = host_of(FakeRecognizer())
    ask(host, 1)
    assert finish(host) == [(1, Answer([]))]
