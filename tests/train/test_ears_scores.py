"""How wrongly heard words are counted."""

from __future__ import annotations

from examples.train.ears.scores import distance, score
from hypothesis import given
from hypothesis import strategies as st

texts = st.lists(st.sampled_from("abc"), max_size=6)


@given(texts)
def test_nothing_is_wrong_with_the_same_words(said: list[str]) -> None:
    assert distance(said, said) == 0


@given(texts, texts)
def test_it_is_as_far_back_as_forth(said: list[str], heard: list[str]) -> None:
    assert distance(said, heard) == distance(heard, said)


@given(texts, texts, texts)
def test_no_detour_is_shorter(first: list[str], second: list[str], third: list[str]) -> None:
    assert distance(first, third) <= distance(first, second) + distance(second, third)


@given(texts, st.integers(0, 6), st.sampled_from("abc"))
def test_a_word_put_in_is_one_mistake(said: list[str], at: int, word: str) -> None:
    assert distance(said, [*said[:at], word, *said[at:]]) == 1


def test_case_and_marks_are_no_mistakes_but_not_exact() -> None:
    found = score([("What is it?", "what is it"), ("Two cats.", "Two cats."), ("One dog.", "A dog sat.")])
    assert (found.wrong, found.words, found.exact, found.count) == (2, 7, 1, 3)
    assert found.rate == 2 / 7
