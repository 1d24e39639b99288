"""How much of prompts a step reads while others wait for the next token of an answer."""

from __future__ import annotations

import pytest

from sauropod._scheduling.pace import SMALLEST, Pace
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority
from sauropod.testing import FakeLanguageModel, FakeOptions
from scheduling import Driver, Request


def test_nothing_is_known_at_first() -> None:
    assert Pace().budget(0.25, 3, 512) == 512


def test_what_answers_take_is_not_counted_as_reading() -> None:
    """16 answers of 10 ms each, and 2 ms for each token read: what is left of a quarter of a second reads 45 tokens,
    which are too few to be worth it; of half a second, 170."""
    pace = Pace()
    for _ in range(20):
        pace.record(0, 16, 0.16)
        pace.record(100, 16, 0.16 + 0.2)
    assert pace.budget(0.25, 16, 512) == SMALLEST
    assert pace.budget(0.5, 16, 512) == pytest.approx(170, abs=2)
    assert pace.budget(0.5, 0, 512) == pytest.approx(250, abs=2)
    assert pace.budget(9.0, 0, 512) == 512


def test_small_steps_tell_nothing_about_reading() -> None:
    pace = Pace(reading=0.002)
    pace.record(5, 3, 0.1)
    assert pace == Pace(reading=0.002)


@pytest.mark.parametrize(
    ("priority", "readers", "tokens"),
    [(Priority.NORMAL, 1, 100), (Priority.NORMAL, 3, 300), (Priority.NORMAL, 7, 400), (Priority.LIVE, 7, 100)],
)
def test_a_step_takes_longer_where_many_wait_for_a_first_token(priority: Priority, readers: int, tokens: int) -> None:
    """Unless who reads along is more urgent than they are."""
    options = FakeOptions(slots=8, context_length=1000, step_tokens=512, eos_rate=0)
    driver = Driver(FakeLanguageModel(options))
    driver.add(0, Request((1,), SamplingParams(max_tokens=50), priority))
    driver.step()
    for n in range(readers):
        driver.add(1 + n, Request(tuple([2 + n] * 600), SamplingParams(max_tokens=1)))
    driver.scheduler.pace = Pace(reading=0.0025, answering=0.0)
    step = driver.schedule()
    assert step.tokens == 1 + tokens
    assert driver.sequences[0] in step.sequences


def test_prompts_that_waited_long_do_not_hold_answers_up() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=8, context_length=2000, step_tokens=512, eos_rate=0)))
    for n in range(4):
        driver.add(n, Request((1 + n,), SamplingParams(max_tokens=50)))
    driver.step()
    for n in range(4):
        driver.add(4 + n, Request(tuple([5 + n] * 1500), SamplingParams(max_tokens=1)))
    driver.scheduler.pace = Pace(reading=0.01, answering=0.0)
    driver.now += 500
    for _ in range(10):
        driver.step()
    assert all(len(driver.said[n].tokens) == 11 for n in range(4))


def test_who_is_less_urgent_waits_while_a_prompt_is_read() -> None:
    driver = Driver(FakeLanguageModel(FakeOptions(slots=8, context_length=1000, step_tokens=64, eos_rate=0)))
    driver.add(0, Request((1,), SamplingParams(max_tokens=50), Priority.BACKGROUND))
    driver.step()
    driver.add(1, Request(tuple([2] * 200), SamplingParams(max_tokens=1), Priority.LIVE))
    for _ in range(3):  # 192 of the prompt's tokens
        driver.step()
    assert len(driver.said[0].tokens) == 1
    driver.step()  # which has room for both
    assert len(driver.said[0].tokens) == 2
    assert len(driver.said[1].tokens) == 1
