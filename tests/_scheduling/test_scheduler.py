"""What a sequence says never depends on what happens around it."""

from __future__ import annotations

import itertools

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._scheduling.scheduler import Scheduler
from sauropod._scheduling.sequence import Sequence
from sauropod._values.grammar import Grammar
from sauropod._values.sampling import DEFAULT_SAMPLING, SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.errors import InvalidSampling, PromptTooLong, QueueFull, UnsupportedInput
from sauropod.testing import FakeLanguageModel, FakeOptions
from scheduling import SOUNDS, Driver, Request, alone

SHARED = tuple(range(65, 65 + 70))
SHARED_SOUND = (*SHARED[:32], *range(-1, -9, -1), *SHARED[40:])
"""With something in it that is no text."""


@st.composite
def prompts(draw: st.DrawFn) -> tuple[int, ...]:
    """Prompts that often begin alike, and part at many places."""
    head = draw(st.sampled_from([SHARED, SHARED, SHARED_SOUND]))[: draw(st.sampled_from([0, 0, 1, 31, 33, 50, 70]))]
    sound = -draw(st.integers(1, SOUNDS))
    heard = range(sound, max(sound - draw(st.sampled_from([0, 0, 1, 20])), -SOUNDS - 1), -1)
    return (*head, *heard, *draw(st.lists(st.integers(65, 67), min_size=1, max_size=60)))


@st.composite
def choices(draw: st.DrawFn) -> Grammar:
    """Texts that begin alike, some of them longer than a step, than an answer may be, or than the context."""
    words = st.lists(st.sampled_from(["", "a", "ab", "é", " the", "x" * 5, "long " * 4, "y" * 90]), max_size=6)
    return Grammar.choice(["".join(draw(words)) for _ in range(draw(st.integers(1, 5)))])


@st.composite
def requests(draw: st.DrawFn) -> Request:
    grammar = draw(st.none() | choices())
    sampling = SamplingParams(
        temperature=draw(st.sampled_from([0.0, 1.0])),
        seed=draw(st.integers(0, 3)),
        max_tokens=draw(st.integers(1, 40)),
        stop_tokens=draw(st.lists(st.integers(0, 255), max_size=2)),
        ignore_eos=grammar is None and draw(st.booleans()),
        grammar=grammar,
        logprobs=draw(st.sampled_from([None, None, None, 0])),
    )
    if not sampling.temperature and draw(st.booleans()):
        sampling = attrs.evolve(sampling, seed=None)
    arrives = draw(st.integers(0, 30))
    cancelled = draw(st.none() | st.integers(arrives, arrives + 30))
    return Request(draw(prompts()), sampling, draw(st.sampled_from(Priority)), arrives, cancelled)


@st.composite
def models(draw: st.DrawFn) -> FakeOptions:
    """Models of every kind, usually with too little room."""
    rewinds = draw(st.booleans())
    return FakeOptions(
        slots=draw(st.integers(1, 4)),
        step_tokens=draw(st.sampled_from([1, 7, 64])),
        context_length=140,
        cache_length=draw(st.sampled_from([0, 140, 200, 300])),
        rewinds=rewinds,
        window=0 if rewinds else draw(st.sampled_from([0, 8])),
        idle_slots_cost=draw(st.booleans()),
        aborts=draw(st.frozensets(st.integers(1, 60), max_size=4)),
        grammar_fails_at=draw(st.none() | st.integers(0, 20)),
        hears=True,
    )


@settings(max_examples=300, deadline=None)
@given(models(), st.lists(requests(), min_size=1, max_size=8), st.sampled_from([0, 2_000, 1 << 20]))
def test_what_a_sequence_says_does_not_depend_on_the_others(
    options: FakeOptions, asked: list[Request], snapshot_bytes: int
) -> None:
    """Batching, prefix reuse, eviction, snapshots, checkpoints, preemption, aborted steps and cancelled neighbours."""
    driver = Driver(FakeLanguageModel(options), SchedulerOptions(snapshot_bytes=snapshot_bytes, ageing=50))
    said = driver.run(asked)
    for id, request in enumerate(asked):
        expected = alone(request, options)
        if request.cancelled is None:
            assert said[id] == expected
        else:
            assert said[id].tokens == expected.tokens[: len(said[id].tokens)]


@settings(max_examples=100, deadline=None)
@given(models(), requests(), st.integers(0, 40))
def test_a_resumed_sequence_goes_on_as_if_nothing_had_happened(
    options: FakeOptions, request: Request, lost_after: int
) -> None:
    options = attrs.evolve(options, grammar_fails_at=None)  # a length that forced tokens may step over
    expected = alone(request, options)
    kept = expected.tokens[:lost_after]
    if len(kept) == len(expected.tokens):
        return
    driver = Driver(FakeLanguageModel(options))
    sampling = request.sampling.over(DEFAULT_SAMPLING)
    sequence = Sequence(0, list(request.prompt), sampling, generated=list(kept))
    driver.add(0, request)
    driver.scheduler.remove(driver.sequences[0])
    driver.scheduler.add(sequence)
    driver.said[0].tokens = list(kept)
    assert driver.run([])[0] == expected


def test_answers_go_on_at_least_every_second_step_while_others_listen() -> None:
    """A step holds text or what is attached; they take turns, and nobody waits longer than one step."""
    model = FakeLanguageModel(FakeOptions(slots=3, context_length=400, step_tokens=8, hears=True))
    driver = Driver(model)
    driver.add(0, Request((65,), SamplingParams(temperature=0, max_tokens=40, ignore_eos=True)))
    driver.step()
    heard = tuple(range(-1, -SOUNDS - 1, -1))
    for id in (1, 2):
        driver.add(id, Request((66, *heard, 65 + id)))
    waited, lengths = [], [1]
    while not driver.said[0].reason:
        driver.step()
        lengths.append(len(driver.said[0].tokens))
        waited.append(lengths[-1] == lengths[-2])
    assert any(waited)
    assert not any(first and second for first, second in itertools.pairwise(waited))
    assert driver.said[1].reason
    assert driver.said[2].reason


def test_what_is_more_urgent_goes_before_what_is_heard_and_the_other_way_round() -> None:
    heard = tuple(range(-1, -SOUNDS - 1, -1))
    for urgent, later in (((65,) * 60, (66, *heard)), ((65, *heard), (66,) * 60)):
        model = FakeLanguageModel(FakeOptions(slots=2, context_length=400, step_tokens=8, hears=True))
        driver = Driver(model)
        driver.add(0, Request(later, priority=Priority.BACKGROUND))
        driver.step()
        sequence = driver.add(1, Request(urgent, priority=Priority.HEARING))
        steps = 0
        while sequence.computed < len(urgent) and not driver.said[1].tokens:
            driver.step()
            steps += 1
        assert steps <= 2 + -(-len(urgent) // 8)


def test_what_is_heard_has_a_whole_step_however_many_answer() -> None:
    model = FakeLanguageModel(FakeOptions(slots=9, context_length=400, step_tokens=16, hears=True))
    driver = Driver(model)
    for id in range(8):
        driver.add(id, Request((65 + id,), SamplingParams(temperature=0, max_tokens=60, ignore_eos=True)))
    driver.step()
    driver.add(8, Request((90, *range(-1, -SOUNDS - 1, -1), 91)))
    while not driver.said[8].tokens:
        driver.step()
    sizes = [sum(len(chunk.tokens) for chunk in step) for step in model.steps if step[0].tokens[0] < 0]
    assert sizes == [16, SOUNDS - 16]


def test_requests_that_arrive_together_compute_their_common_prefix_once() -> None:
    model = FakeLanguageModel(FakeOptions(slots=8, context_length=400, step_tokens=400))
    asked = [Request((*range(300), 65 + n), SamplingParams(temperature=0, max_tokens=1)) for n in range(8)]
    Driver(model).run(asked)
    assert model.computed == 301 + 7


@pytest.mark.parametrize("window", [0, 8])
def test_a_common_prefix_is_computed_once_by_models_that_cannot_drop_a_tail(window: int) -> None:
    options = FakeOptions(slots=8, context_length=400, step_tokens=400, rewinds=False, window=window)
    model = FakeLanguageModel(options)
    asked = [Request((*range(300), *[65 + n] * 40), SamplingParams(temperature=0, max_tokens=1)) for n in range(8)]
    Driver(model).run(asked)
    assert model.computed == 300 + 8 * 40


def test_the_next_turn_computes_only_what_is_new() -> None:
    model = FakeLanguageModel(FakeOptions(eos_rate=0))
    driver = Driver(model)
    first = Request(tuple(range(100)), SamplingParams(temperature=0, max_tokens=10))
    said = driver.run([first])[0].tokens
    before = model.computed
    driver.run({1: Request((*first.prompt, *said, 1, 2, 3), first.sampling, arrives=0)})
    assert model.computed - before == 1 + 3 + 9  # the last token said, the new turn, the answer but its last token
    assert driver.sequences[1].cached == 109


def test_a_conversation_set_aside_for_others_comes_back_from_host_memory() -> None:
    model = FakeLanguageModel(FakeOptions(slots=1, context_length=200))
    driver = Driver(model)
    sampling = SamplingParams(temperature=0, max_tokens=1)
    driver.run({0: Request(tuple([1] * 100), sampling)})
    driver.run({1: Request(tuple([2] * 100), sampling)})
    driver.run({2: Request((*[1] * 100, 3), sampling)})
    assert driver.sequences[2].cached == 100


def idle(driver: Driver) -> list[list[int]]:
    """What the idle slots hold."""
    return [slot.tokens for slot in driver.scheduler.slots.free if slot.tokens]


@pytest.mark.parametrize("costs", [True, False])
def test_idle_slots_are_emptied_while_others_run_where_they_cost(costs: bool) -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(context_length=200, idle_slots_cost=costs)))
    one = SamplingParams(temperature=0, max_tokens=1)
    driver.run({n: Request(tuple([n] * 100), one) for n in range(3)})
    driver.run({3: Request(tuple([3] * 100), one)})
    assert len(idle(driver)) == (1 if costs else 4)
    driver.run({4: Request((*[0] * 100, 9), one)})
    assert driver.sequences[4].cached == 100


@pytest.mark.parametrize("room", [0, 1000])
def test_what_is_too_large_to_be_put_away_stays_where_it_is(room: int) -> None:
    """100 tokens are some 220 bytes: four conversations have room, and a fifth would cost one of them."""
    model = FakeLanguageModel(FakeOptions(slots=8, context_length=200, idle_slots_cost=True))
    driver = Driver(model, SchedulerOptions(snapshot_bytes=room))
    one = SamplingParams(temperature=0, max_tokens=1)
    for n in range(6):
        driver.run({n: Request(tuple([n] * 100), one)})
    assert len(idle(driver)) + len(driver.scheduler.slots.snapshots) == 6
    assert len(driver.scheduler.slots.snapshots) == (0 if room == 0 else 4)
    for n in range(6):
        driver.run({10 + n: Request((*[n] * 100, 9), one)})
        assert driver.sequences[10 + n].cached == 100


def test_small_snapshots_push_out_the_oldest() -> None:
    model = FakeLanguageModel(FakeOptions(slots=8, context_length=200, idle_slots_cost=True))
    driver = Driver(model, SchedulerOptions(snapshot_bytes=16 * 220))
    for n in range(40):
        driver.run({n: Request(tuple([n] * 100), SamplingParams(temperature=0, max_tokens=1))})
    assert len(idle(driver)) == 1
    assert len(driver.scheduler.slots.snapshots) >= 14


def test_snapshots_are_bounded() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=1, context_length=200)), SchedulerOptions(snapshot_bytes=1000))
    for n in range(20):
        driver.run({n: Request(tuple([n] * 100), SamplingParams(temperature=0, max_tokens=1))})
        assert driver.scheduler.slots.snapshots.size <= 1000
    assert len(driver.scheduler.slots.snapshots) > 0


def test_a_checkpoint_is_learned_where_prompts_part() -> None:
    """The second request finds no checkpoint at the end of the shared part, but leaves one for the third."""
    model = FakeLanguageModel(FakeOptions(slots=4, context_length=400, step_tokens=400, rewinds=False))
    driver = Driver(model)
    for n in range(3):
        driver.run({n: Request((*range(100, 230), *[n] * 80), SamplingParams(temperature=0, max_tokens=1))})
    assert [driver.sequences[n].cached for n in range(3)] == [0, 0, 130]


def test_the_same_prompt_again_computes_only_its_end_on_models_that_cannot_drop_a_tail() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(context_length=400, step_tokens=400, rewinds=False)))
    for n in range(2):
        driver.run({n: Request(tuple(range(200)), SamplingParams(temperature=0, max_tokens=5))})
    assert driver.sequences[1].cached == 196


def test_an_urgent_request_takes_the_slot_of_one_that_is_not() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=1, eos_rate=0)))
    driver.add(0, Request(tuple(range(20)), SamplingParams(max_tokens=50, seed=1), Priority.BACKGROUND))
    for _ in range(5):
        driver.step()
    driver.add(1, Request(tuple(range(20)), SamplingParams(max_tokens=2, seed=1), Priority.LIVE))
    for _ in range(4):
        driver.step()
    assert driver.said[1].reason is StopReason.MAX_TOKENS
    assert len(driver.run([])[0].tokens) == 50


def test_nobody_starves() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=1, eos_rate=0)), SchedulerOptions(ageing=10))
    sampling = SamplingParams(temperature=0, max_tokens=2)
    asked = {n: Request(tuple([n] * 5), sampling, Priority.LIVE, arrives=n) for n in range(1, 200)}
    driver.run({0: Request((1, 2, 3), sampling, Priority.BACKGROUND), **asked})
    assert driver.sequences[0].started is not None
    assert driver.sequences[0].started < 60


def test_a_long_prompt_leaves_room_in_each_step_for_the_answers_of_others() -> None:
    model = FakeLanguageModel(FakeOptions(slots=2, context_length=1000, step_tokens=32, eos_rate=0))
    driver = Driver(model)
    driver.add(0, Request((1, 2, 3), SamplingParams(temperature=0, max_tokens=30)))
    driver.step()
    driver.add(1, Request(tuple(range(64, 250)), SamplingParams(temperature=0, max_tokens=1)))
    for _ in range(5):
        driver.step()
    assert all(any(chunk.slot == driver.sequences[0].slot for chunk in step) for step in model.steps)
    assert len(driver.said[0].tokens) == 6


def test_a_cancelled_request_frees_its_slot_at_once() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=1)))
    driver.add(0, Request((1, 2, 3), SamplingParams(ignore_eos=True)))
    driver.step()
    driver.scheduler.remove(driver.sequences[0])
    assert len(driver.scheduler.slots.free) == 1
    assert not driver.scheduler.busy


@settings(max_examples=100)
@given(st.integers(1, 300))
def test_a_prompt_that_leaves_no_room_is_refused_with_the_counts(length: int) -> None:
    scheduler = Scheduler(FakeLanguageModel(FakeOptions(context_length=100)))
    sequence = Sequence(0, [1] * length, DEFAULT_SAMPLING)
    if length < 100:
        scheduler.add(sequence)
        assert scheduler.waiting == [sequence]
    else:
        with pytest.raises(PromptTooLong) as refused:
            scheduler.add(sequence)
        assert (refused.value.tokens, refused.value.limit) == (length, 100)
        assert not scheduler.busy


def test_an_answer_ends_where_the_context_ends() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(context_length=50, eos_rate=0)))
    said = driver.run([Request(tuple(range(40)), SamplingParams(temperature=0))])[0]
    assert said.reason is StopReason.CONTEXT_LENGTH
    assert len(said.tokens) == 10


def test_a_full_queue_refuses() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=1)), SchedulerOptions(max_waiting=2))
    driver.add(0, Request((1,)))
    driver.step()
    driver.add(1, Request((1,)))
    driver.add(2, Request((1,)))
    with pytest.raises(QueueFull) as refused:
        driver.scheduler.add(Sequence(3, [1], DEFAULT_SAMPLING))
    assert refused.value.limit == 2


def test_an_empty_prompt_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="empty"):
        Scheduler(FakeLanguageModel()).add(Sequence(0, [], DEFAULT_SAMPLING))


def test_a_bias_on_a_token_that_is_not_there_is_refused() -> None:
    sampling = SamplingParams(logit_bias={10_000: 1.0}).over(DEFAULT_SAMPLING)
    with pytest.raises(InvalidSampling, match="10000"):
        Scheduler(FakeLanguageModel()).add(Sequence(0, [1], sampling))
