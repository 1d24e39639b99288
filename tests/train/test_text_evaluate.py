"""The measurement: that it counts what it says it counts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from examples.train.text import cases, evaluate, report
from examples.train.text.cases import Case
from examples.train.text.messages import Conversation
from examples.train.text.questions import load, titles


@pytest.fixture(scope="module")
def asked() -> list[Case]:
    return cases.every_case(count=10)


def test_the_same_seed_asks_the_same(asked: list[Case]) -> None:
    assert [case.conversation for case in asked] == [case.conversation for case in cases.every_case(count=10)]


def test_every_listed_question_is_asked_as_listed_and_held_back(asked: list[Case]) -> None:
    for kind in ("documented", "held back"):
        rules = {(case.topic, case.accept) for case in asked if case.kind == kind}
        assert rules == {(each.topic, each.accept) for each in load()}


def test_a_right_call_is_right_and_others_are_not(asked: list[Case]) -> None:
    case = next(case for case in asked if case.topic == "two calls")
    assert case.calls is not None
    lines = [json.dumps({"name": call.name, "arguments": dict(call.arguments)}) for call in case.calls]
    text = "\n".join(f"<tool_call>\n{line}\n</tool_call>" for line in lines)
    assert case.right(text)
    assert not case.right(text.replace('"name": "', '"name": "x', 1))
    assert not case.right(f"<tool_call>\n{lines[0]}\n</tool_call>")
    assert not case.right("I do not know.")


def test_json_is_compared_as_json(asked: list[Case]) -> None:
    case = next(case for case in asked if case.kind == "JSON")
    assert case.right(json.dumps(case.json, indent=1))
    assert not case.right("{")


def test_a_call_where_none_fits_is_wrong(asked: list[Case]) -> None:
    case = next(case for case in asked if case.topic == "no tool fits")
    words = " ".join(word.split("|")[0] for word in case.accept.words)
    assert case.right(words)
    assert not case.right(words + " <tool_call>")


@pytest.mark.anyio
async def test_tallies_count_right_answers_by_topic() -> None:
    async def silent(conversation: Conversation) -> str:
        return ""

    marks = await evaluate.score(silent, cases.every_case(count=1)[:50])
    (total, *topics) = evaluate.tallies(marks)
    assert (total.kind, total.topic, total.right, total.asked) == ("documented", "", 0, 50)
    assert sum(each.asked for each in topics) == 50
    assert "| documented | **all** | 0 | 50 | 0.0% |" in evaluate.table([total])


def test_the_page_lists_the_questions_that_are_asked() -> None:
    page = (Path(__file__).parents[2] / "docs" / "demo-model.md").read_text("utf-8")
    assert report.placed(page, "questions", report.listing(load(), titles())) == page
