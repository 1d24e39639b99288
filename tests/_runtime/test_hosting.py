"""One model in a worker: who is stepped, and what becomes of the others when a backend fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from sauropod._runtime.hosting import Host
from sauropod._runtime.interruption import Interruption
from sauropod._runtime.protocol import Answer, Embed, End, Failed, Generate, Piece, PromptText, Replies
from sauropod._scheduling.scheduler import Scheduler
from sauropod._scheduling.sequence import Sequence as Tokens
from sauropod._values.asking import ChatOptions
from sauropod._values.grammar import Grammar
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import StepAborted
from sauropod.errors import BackendError, QueueFull, UnsupportedInput
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
    host.embed(request, host.encode_inputs(request.inputs), time.monotonic())


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
    with pytest.raises(BackendError, match="0 results for 1 inputs"):
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


def choose(host: Host, id: int, *texts: str, **sampling: object) -> None:
    sampling = {"ignore_eos": False, "max_tokens": None, **sampling}
    ask(host, id, "Hi", Priority.NORMAL, grammar=Grammar.choice(texts), **sampling)


def told(replies: Replies, id: int) -> tuple[str, StopReason | None, int]:
    """The text of a request, why it ended, and how many tokens were told of."""
    own = [reply for each, reply in replies if each == id]
    end = own[-1]
    text = "".join(reply.text for reply in own if isinstance(reply, Piece | End))
    return text, end.stop_reason if isinstance(end, End) else None, sum(isinstance(reply, Piece) for reply in own)


def test_what_a_grammar_forces_is_computed_in_one_step() -> None:
    model = FakeLanguageModel()
    host = host_of(model)
    choose(host, 1, "the whole of this is forced")
    assert told(finish(host), 1) == ("the whole of this is forced", StopReason.EOS, 27)
    assert len(model.steps) == 1  # the prompt's: what comes after it needs no computing at all


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        ({"max_tokens": 9}, ("forced an", StopReason.MAX_TOKENS, 9)),
        ({"stop": "and f"}, ("forced ", StopReason.STOP, 12)),
        ({"stop_tokens": [ord("n")]}, ("forced a", StopReason.STOP, 8)),
        ({}, ("forced and fo", StopReason.CONTEXT_LENGTH, 13)),
    ],
)
def test_what_is_forced_ends_where_any_text_would(
    sampling: dict[str, object], expected: tuple[str, StopReason, int]
) -> None:
    host = host_of(FakeLanguageModel(FakeOptions(context_length=33)))
    choose(host, 1, "forced and forced and forced", **sampling)
    replies = finish(host)
    assert told(replies, 1) == expected
    assert sum(isinstance(reply, End) for _, reply in replies) == 1


def test_a_grammar_that_fails_in_the_middle_fails_its_text_only() -> None:
    host = host_of(FakeLanguageModel(FakeOptions(grammar_fails_at=1, eos_rate=0)))
    choose(host, 1, "ax", "bx", "ay", "by")
    ask(host, 2, max_tokens=20)
    replies = finish(host)
    failed = [reply for id, reply in replies if id == 1][-1]
    assert isinstance(failed, Failed)
    with pytest.raises(BackendError, match="in the middle"):
        failed.throw()
    assert told(replies, 2)[1:] == (StopReason.MAX_TOKENS, 20)
    assert not host.scheduler.busy


def test_a_model_that_knows_no_grammars_refuses_them_before_the_first_token() -> None:
    host = host_of(FakeLanguageModel(FakeOptions(grammars=False)))
    with pytest.raises(UnsupportedInput, match="grammar"):
        choose(host, 1, "yes", "no")


def test_what_is_forced_on_one_makes_others_wait_no_longer_than_a_prompt_would() -> None:
    model = FakeLanguageModel(FakeOptions(step_tokens=16, eos_rate=0))
    host = host_of(model)
    ask(host, 2, max_tokens=30)
    while not model.steps or len(model.steps[-1][0].tokens) > 1:
        host.step(time.monotonic)
    before = len(model.steps)
    choose(host, 1, *(f"{first} {'forced ' * 20}{last}" for first in "ab" for last in "cd"))
    finish(host)
    slots = [{chunk.slot for chunk in step} for step in model.steps[before:]]
    assert all(0 in each for each in slots[:20])


class Thinker(FakeLanguageModel):
    """The prompt begins its thoughts."""

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, options: Mapping[str, Any] | None = None
    ) -> str:
        text = super().render(messages, tools, options=options)
        return f"{text} <think>\n" if (options or {}).get("add_generation_prompt", True) else text


def test_thoughts_with_a_budget_go_on_wherever_a_worker_was_lost() -> None:
    """In the middle of the mark that ends them too, and while no slot is free."""

    def said(id: int, generated: Sequence[int], most: int, host: Host) -> list[int]:
        prompt = PromptText((Message.user("x"),), ChatOptions(reasoning_budget=6))
        sampling = SamplingParams(max_tokens=most, ignore_eos=True)
        request = Generate(id, 0, prompt, sampling, Priority.NORMAL, False, generated)
        host.generate(host.prepare(request, time.monotonic()))
        return [] if id else [reply.token for about, reply in finish(host) if about == 0 and isinstance(reply, Piece)]

    def host() -> Host:
        return host_of(Thinker(FakeOptions(context_length=400, slots=1)))

    whole = said(0, (), 40, host())
    assert b"</think>" in b"".join(map(FakeLanguageModel(FakeOptions()).piece, whole))
    for lost in range(1, len(whole)):
        again = host()
        said(1, (), 8, again)  # it has the only slot
        again.step(time.monotonic)
        assert whole[:lost] + said(0, whole[:lost], 40, again) == whole
