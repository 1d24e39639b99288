"""The documented list: what the demo model promises to answer."""

from __future__ import annotations

from pathlib import Path

import pytest
from examples.train.text import questions, vocabulary
from examples.train.text.accept import Accept, last_number
from examples.train.text.questions import Question, expand, fill, normal

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def listed() -> tuple[Question, ...]:
    return questions.load()


def test_more_than_300_questions_are_listed_beside_arithmetic(listed: tuple[Question, ...]) -> None:
    assert sum(each.topic != "arithmetic" for each in listed) >= 300


def test_at_least_60_capitals_are_listed(listed: tuple[Question, ...]) -> None:
    assert sum(each.topic == "capitals" for each in listed) >= 60


def test_every_question_has_several_wordings_and_one_held_back(listed: tuple[Question, ...]) -> None:
    assert [each.name for each in listed if len(each.phrasings) < 3 or not each.held_back] == []


def test_every_listed_answer_is_accepted_by_its_own_rule(listed: tuple[Question, ...]) -> None:
    assert [each.name for each in listed if not each.accept(each.answer)] == []


def test_no_wording_has_two_answers(listed: tuple[Question, ...]) -> None:
    answers: dict[str, set[str]] = {}
    for each in listed:
        for text in (*each.phrasings, *each.held_back):
            answers.setdefault(normal(text), set()).add(each.answer)
    assert {text: found for text, found in answers.items() if len(found) > 1} == {}


def test_no_held_back_wording_is_a_trained_one(listed: tuple[Question, ...]) -> None:
    trained = {normal(text) for each in listed for text in each.phrasings}
    assert [text for each in listed for text in each.held_back if normal(text) in trained] == []


def test_no_slot_is_left_unfilled(listed: tuple[Question, ...]) -> None:
    texts = (text for each in listed for text in (*each.phrasings, *each.held_back, each.answer))
    assert [text for text in texts if "{" in text or "(" in text] == []


def test_every_topic_has_a_title(listed: tuple[Question, ...]) -> None:
    assert {each.topic for each in listed} == set(questions.titles())


def test_the_vocabulary_is_modest_and_its_file_current(listed: tuple[Question, ...]) -> None:
    words = vocabulary.words(listed)
    assert len(words) <= 2500
    assert vocabulary.PATH.read_text("utf-8").split() == words


@pytest.mark.parametrize(
    ("rule", "answer", "right"),
    [
        (Accept(("Paris",)), "The capital of France is Paris.", True),
        (Accept(("Paris",)), "the capital is PARIS", True),
        (Accept(("Paris",)), "I like Parisian food.", False),
        (Accept(("hello|hi", "help")), "Hi, how can I help?", True),
        (Accept(("hello|hi", "help")), "Hi!", False),
        (Accept(("c-a-t",)), "c-a-t", True),
        (Accept(("c-a-t",)), "c-a-t-s", False),
        (Accept(number="5"), "2 plus 3 is 5.", True),
        (Accept(number="5"), "5 plus 3 is 8.", False),
        (Accept(number="-3"), "It is -3.", True),
        (Accept(number="5"), "I do not know.", False),
    ],
)
def test_an_answer_is_accepted_for_its_key_facts(rule: Accept, answer: str, right: bool) -> None:
    assert rule(answer) is right


def test_the_last_number_is_the_last_one_in_digits() -> None:
    assert last_number("2 and 17.") == "17"
    assert last_number("two") is None


def test_a_pattern_stands_for_all_its_wordings() -> None:
    assert list(expand("(Tell|Show) me (a |)joke")) == [
        "Tell me a joke",
        "Tell me joke",
        "Show me a joke",
        "Show me joke",
    ]


def test_slots_are_filled_by_name() -> None:
    assert fill("{a} and {b}", {"a": "x", "b": "y"}) == "x and y"


def test_the_model_file_is_at_most_6_megabytes() -> None:
    asset = ROOT / "src" / "sauropod" / "assets" / "demo.gguf"
    assert asset.read_bytes()[:4] == b"GGUF"
    assert asset.stat().st_size <= 6_000_000
