"""How much of a text was heard when its sound stops."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sauropod import Mark
from sauropod._speech.heard import heard_text

TEXT = "One two three. Four five."
WORDS = (Mark(0, 3, 0, 10), Mark(4, 7, 10, 20), Mark(8, 14, 20, 40), Mark(15, 19, 50, 60), Mark(20, 25, 60, 80))


@given(st.integers(0, 100), st.integers(0, 100))
def test_more_sound_is_never_less_text_and_always_whole_words(one: int, other: int) -> None:
    less, more = (heard_text(TEXT, WORDS, samples) for samples in sorted((one, other)))
    assert more.startswith(less)
    assert less == "" or less in {TEXT[: mark.end] for mark in WORDS}


def test_a_word_counts_when_its_last_sample_was_heard() -> None:
    assert heard_text(TEXT, WORDS, 9) == ""
    assert heard_text(TEXT, WORDS, 10) == "One"
    assert heard_text(TEXT, WORDS, 45) == "One two three."
    assert heard_text(TEXT, WORDS, 80) == TEXT


def test_within_a_mark_of_many_words_time_is_shared_out_by_their_letters() -> None:
    whole = (Mark(0, 14, 0, 140), Mark(15, 25, 140, 240))
    assert heard_text(TEXT, whole, 75) == "One two"
    assert heard_text(TEXT, whole, 195) == "One two three. Four"
    assert heard_text(TEXT, (), 500) == ""
