"""What the demo recogniser learns from: sentences, words and how they are written."""

from __future__ import annotations

import random
from itertools import islice

import pytest
from examples.train.ears.lexicon import WORD, aloud, lexicon, number
from examples.train.ears.sentences import Sentences, plain, written
from examples.train.text.questions import normal
from hypothesis import given, settings
from hypothesis import strategies as st

DRAWN = 400


@given(st.text(alphabet="aIx' ,.?!:;5-+=", min_size=1, max_size=30))
def test_what_is_written_once_is_written_the_same_again(text: str) -> None:
    once = written(text)
    assert once is None or written(once) == once


@settings(deadline=None)
@given(st.integers(0, 999_999))
def test_a_number_is_said_in_known_words(value: int) -> None:
    assert lexicon().knows(number(value))


@given(st.integers(0, 999_999), st.integers(0, 999_999))
def test_different_numbers_are_said_differently(one: int, other: int) -> None:
    assert (number(one) == number(other)) == (one == other)


@pytest.fixture(scope="module")
def sentences() -> Sentences:
    return Sentences()


def test_a_sentence_to_train_on_begins_with_a_capital_and_ends_with_a_mark(sentences: Sentences) -> None:
    for text in islice(sentences.trained(random.Random(1)), DRAWN):
        assert text[0].isupper()
        assert text[-1] in ".?"
        assert lexicon().knows(text)


def test_what_is_held_back_is_never_trained_on(sentences: Sentences) -> None:
    tested = set(map(plain, islice(sentences.held_back(random.Random(5)), 150)))
    assert len(tested) == 150
    assert tested.isdisjoint(map(plain, islice(sentences.trained(random.Random(2)), 4 * DRAWN)))


def test_held_back_wordings_are_those_of_the_demo_language_model(sentences: Sentences) -> None:
    secret = {plain(text) for text in map(written, _held_back(sentences)) if text}
    assert secret.issuperset(map(plain, islice(sentences.held_back(random.Random(3)), 100)))


def _held_back(sentences: Sentences) -> list[str]:
    assert all(
        normal(text) in sentences.material.secret for each in sentences.material.questions for text in each.held_back
    )
    return [text for each in sentences.material.questions for text in each.held_back]


def test_most_words_are_heard_within_a_few_thousand_sentences(sentences: Sentences) -> None:
    heard = {word.lower() for text in islice(sentences.trained(random.Random(4)), 4000) for word in WORD.findall(text)}
    assert len(heard) > 0.95 * len(lexicon().written)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("what is 5 plus 16?", "What is five plus sixteen?"),
        ("17 + 3 =", "Seventeen plus three equals."),
        ("capital of France", "Capital of France."),
        ("What's the capital of France", "What's the capital of France?"),
        ("Tell me, what is it", "Tell me, what is it?"),
        ("Say that again?", "Say that again."),
        ("It has how many legs?", "It has how many legs?"),
        ("Hi! What now", "Hi. What now?"),
        ("c-a-t", None),
        ("π", None),
        ("?", None),
    ],
)
def test_a_text_is_shown_as_it_is_said(text: str, shown: str | None) -> None:
    assert written(text) == shown


def test_acronyms_are_read_letter_by_letter() -> None:
    assert aloud("Load a GGUF file.") == "Load a G G U F file."
