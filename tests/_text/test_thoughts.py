"""How much a model thinks."""

from __future__ import annotations

from sauropod._text.thoughts import ThoughtBudget
from sauropod._values.syntax import ReasoningSyntax

THINK = ReasoningSyntax(open="<think>", close="</think>")


def spent(budget: ThoughtBudget, *tokens: str) -> list[bool]:
    return [budget.take(token, True) for token in tokens]


def test_thoughts_that_the_prompt_began_are_counted_from_the_first_token() -> None:
    assert spent(ThoughtBudget(THINK, 3, True), "Hm", ",", " so", " it") == [False, False, True, True]


def test_thoughts_that_the_model_begins_are_counted_from_there() -> None:
    assert spent(ThoughtBudget(THINK, 2, False), "<th", "ink>", "\n", "Hm", ",") == [False, False, False, True, True]


def test_who_ends_thinking_in_time_is_left_alone() -> None:
    budget = ThoughtBudget(THINK, 3, True)
    assert spent(budget, "Hm", "</th", "ink>", "4", "<think>", "a", "b", "c", "d") == [False] * 9
    assert not budget.thinking


def test_who_thinks_again_before_an_answer_has_what_is_left() -> None:
    budget = ThoughtBudget(THINK, 4, True)
    assert spent(budget, "Hm", "</think>", "\n", "<think>", "a", "b") == [False, False, False, False, False, True]
    budget.end()
    assert spent(budget, "\n\n", "<think>") == [False, True]


def test_who_begins_to_answer_does_not_think() -> None:
    budget = ThoughtBudget(THINK, 1, False)
    assert spent(budget, "\n", "It", " is", "<think>", "x", "y") == [False] * 6


def test_thoughts_are_not_ended_in_the_middle_of_a_character() -> None:
    budget = ThoughtBudget(THINK, 1, True)
    assert not budget.take("", False)
    assert budget.take("é", True)


def test_once_ended_from_outside_it_is_over() -> None:
    budget = ThoughtBudget(THINK, 1, True)
    assert spent(budget, "Hm") == [True]
    budget.end()
    assert spent(budget, "4", "2") == [False, False]
