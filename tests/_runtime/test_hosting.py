"""One model in a worker: who is stepped, and what becomes of the others when a backend fails."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod._runtime.hosting import Host
from sauropod._runtime.interruption import Interruption
from sauropod._runtime.protocol import Answer, Embed, End, Failed, Generate, PromptText, Replies
from sauropod._scheduling.scheduler import Scheduler
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._values.messages import Message
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import StepAborted
from sauropod.errors import BackendError, QueueFull
from sauropod.testing import FakeLanguageModel, FakeOptions


class Picky(FakeLanguageModel):
    """Embeds nothing that is empty, and may give a vector too few."""

    short = False

    def embed(self, inputs: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        if any(len(tokens) < 4 for tokens in inputs):
            raise ValueError("too short")
        return super().embed(inputs)[self.short :]


class Forgetful(FakeLanguageModel):
    """Cannot give its slots' state away."""

    def save(self, slot: int) -> bytes | None:
        raise MemoryError

    def copy(self, source: int, target: int, length: int, checkpoint: bytes | None = None) -> bool:
        raise RuntimeError("lost")


def ask(host: Host, id: int, text: str = "Hi", priority: Priority = Priority.NORMAL, **sampling: object) -> None:
    params = SamplingParams(**{"temperature": 0, "max_tokens": 5, "ignore_eos": True, **sampling})  # type: ignore[arg-type]
    prompt = PromptText(messages=(Message.user(text),))
    host.generate(host.prepare(Generate(id, 1, prompt, params, priority, False), time.monotonic()))


def embed(host: Host, id: int, *inputs: str, priority: Priority = Priority.NORMAL) -> None:
    request = Embed(id, 1, inputs, priority)
    host.embed(request, host.encode_inputs(request), time.monotonic())


def finish(host: Host) -> Replies:
    replies: Replies = []
    while host.urgency(time.monotonic()) is not None:
        replies += host.step(time.monotonic)
    return replies


def host_of(model: FakeLanguageModel, **options: float) -> Host:
    return Host(model, SchedulerOptions(**options))  # type: ignore[arg-type]


def test_a_text_that_is_more_urgent_than_embeddings_is_written_first() -> None:
    host = host_of(FakeLanguageModel(FakeOptions(step_tokens=32)), ageing=1e9)
    embed(host, 1, *["some words to embed"] * 20, priority=Priority.BACKGROUND)
    ask(host, 2, priority=Priority.LIVE)
    order = [id for id, reply in finish(host)]
    assert order.index(1) == len(order) - 1


def test_of_equal_urgency_they_take_turns() -> None:
    host = host_of(FakeLanguageModel(FakeOptions(step_tokens=8)), ageing=1e9)
    embed(host, 1, *["abcdefgh"] * 20)
    ask(host, 2, max_tokens=50)
    order = [id for id, _ in finish(host)]
    assert 0 < order.index(1) < len(order) - 1


def test_inputs_that_fail_do_not_fail_those_of_others() -> None:
    host = host_of(Picky())
    embed(host, 1, "long enough")
    embed(host, 2, "", "long enough too")
    embed(host, 3, "long enough as well")
    replies = dict(finish(host))
    assert isinstance(replies[2], Failed)
    assert isinstance(replies[1], Answer)
    assert isinstance(replies[3], Answer)


def test_a_vector_too_few_is_an_error_and_no_crash() -> None:
    model = Picky()
    model.short = True
    host = host_of(model)
    embed(host, 1, "long enough")
    ((_, reply),) = finish(host)
    assert isinstance(reply, Failed)
    with pytest.raises(BackendError, match="0 vectors for 1 inputs"):
        reply.throw()


def test_what_cannot_be_saved_is_computed_again() -> None:
    host = host_of(Forgetful(FakeOptions(slots=1)))
    first, other = "a" * 60, "b" * 60
    for id, text in enumerate((first, other, first)):
        ask(host, id, text)
        assert not any(isinstance(reply, Failed) for _, reply in finish(host))


def test_a_backend_that_fails_between_steps_fails_its_requests_and_serves_the_next() -> None:
    host = host_of(Forgetful(FakeOptions(slots=2)))
    ask(host, 1, "a" * 60)
    finish(host)
    ask(host, 2, "a" * 60 + "b")
    ask(host, 3, "a" * 60 + "c")
    failed = {id for id, reply in finish(host) if isinstance(reply, Failed)}
    assert failed == {2, 3}
    ask(host, 4, "d")
    assert not any(isinstance(reply, Failed) for _, reply in finish(host))


def test_what_was_answered_before_a_backend_fails_is_answered_all_the_same() -> None:
    class Speechless(FakeLanguageModel):
        def piece(self, token: int) -> bytes:
            if len(self.steps) and self.spoken:
                raise RuntimeError("no words left")
            self.spoken = True
            return b"x"

        spoken = False

    host = host_of(Speechless(FakeOptions(slots=2)))
    ask(host, 1, "one", max_tokens=1)
    ask(host, 2, "two", max_tokens=1)
    ended = [id for id, reply in finish(host) if isinstance(reply, Failed | End)]
    assert sorted(ended) == [1, 2]


def test_stop_strings_are_looked_at_once_for_all_texts_that_have_them() -> None:
    host = host_of(FakeLanguageModel())
    stop = tuple(f"never said {number}" for number in range(1000))
    prompt = PromptText(messages=(Message.user("Hi"),))
    params = SamplingParams(stop=stop)
    one, other = (
        host.prepare(Generate(id, 1, prompt, params, Priority.NORMAL, False), 0.0).detokenizer for id in range(2)
    )
    assert one._stops._automaton is other._stops._automaton


def test_the_queue_is_bounded_while_slots_are_free_too() -> None:
    scheduler = Scheduler(FakeLanguageModel(FakeOptions(slots=4)), SchedulerOptions(max_waiting=2))
    for id in range(6):
        scheduler.add(Tokens(id, [1], DEFAULT_SAMPLING))
    with pytest.raises(QueueFull):
        scheduler.add(Tokens(7, [1], DEFAULT_SAMPLING))


def test_a_step_that_nobody_wants_any_more_is_not_begun() -> None:
    model = FakeLanguageModel()
    scheduler = Scheduler(model)
    scheduler.add(Tokens(1, [1, 2, 3], DEFAULT_SAMPLING))
    scheduler.admit(0.0)
    step = scheduler.schedule(0.0)
    interruption = Interruption(model)
    interruption.cancel(1)
    with pytest.raises(StepAborted), interruption.during(step):
        raise AssertionError("the step was begun")


def test_a_flag_raised_just_before_a_step_stops_it() -> None:
    host = host_of(FakeLanguageModel(FakeOptions(seconds_per_token=10.0)))
    ask(host, 1, "x" * 50)
    host.model.abort()
    began = time.monotonic()
    assert host.step(time.monotonic) == []
    assert time.monotonic() - began < 5
