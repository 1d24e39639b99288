"""Partial transcripts: what is stable stays, and is what two runs in a row agreed on."""

from __future__ import annotations

from itertools import takewhile

from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._speech.partials import Partials

WORDS = st.lists(st.sampled_from(["a", "b", "c"]), max_size=6)
RUNS = st.lists(WORDS, max_size=8)


def common(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    return len(list(takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False))))


def growing(words: list[str], cuts: list[int]) -> list[str]:
    """Runs that hear more and more of a text, the last word maybe half."""
    text = " ".join(words)
    return [text[:cut] for cut in sorted(min(cut, len(text)) for cut in cuts)]


@settings(deadline=None)
@given(RUNS)
def test_what_is_stable_is_never_taken_back(runs: list[list[str]]) -> None:
    partials, before = Partials(), list[str]()
    for words in runs:
        stable = partials.feed(" ".join(words))[0].split()
        assert stable[: len(before)] == before
        before = stable


@settings(deadline=None)
@given(RUNS)
def test_what_becomes_stable_was_heard_twice_in_a_row_and_does_not_end_the_run(runs: list[list[str]]) -> None:
    partials, before, heard = Partials(), list[str](), list[str]()
    for words in runs:
        stable = partials.feed(" ".join(words))[0].split()
        agreed = words[: common(heard, words)]
        if stable != before:
            assert stable == agreed[: len(words) - 1]
        elif agreed[: len(before)] == before:
            assert len(agreed[: max(0, len(words) - 1)]) <= len(before)  # there was no more to be had
        before, heard = stable, words


@settings(deadline=None)
@given(RUNS)
def test_the_tentative_words_are_those_of_the_run_after_as_many_as_are_stable(runs: list[list[str]]) -> None:
    partials = Partials()
    for words in runs:
        stable, tentative = partials.feed("  ".join(words))
        assert tentative == " ".join(words[len(stable.split()) :])


@settings(deadline=None)
@given(st.lists(st.text("abc", min_size=1, max_size=4), max_size=8), st.lists(st.integers(0, 40), max_size=12))
def test_of_one_that_only_hears_more_both_together_are_the_text(words: list[str], cuts: list[int]) -> None:
    partials = Partials()
    for text in growing(words, cuts):
        stable, tentative = partials.feed(text)
        assert f"{stable} {tentative}".split() == text.split()
        assert stable.split() == words[: len(stable.split())]  # no half word is ever stable


def test_the_first_run_is_all_tentative() -> None:
    assert Partials().feed("one two three") == ("", "one two three")


def test_a_second_run_that_agrees_settles_all_but_its_last_word() -> None:
    partials = Partials()
    partials.feed("one two thr")
    assert partials.feed("one two three") == ("one two", "three")
    assert partials.feed("one two three") == ("one two", "three")
    assert partials.feed("one two three four") == ("one two three", "four")


def test_a_run_that_says_otherwise_changes_only_what_is_tentative() -> None:
    partials = Partials()
    partials.feed("one two three")
    partials.feed("one two three")
    assert partials.feed("won too tree for") == ("one two", "tree for")
    assert partials.feed("won too tree for five") == ("one two", "tree for five")


def test_a_run_that_hears_nothing_leaves_what_is_stable() -> None:
    partials = Partials()
    partials.feed("one two three")
    partials.feed("one two three")
    assert partials.feed("") == ("one two", "")
