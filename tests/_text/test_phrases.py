"""A text is cut into what can be said, the same however it comes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sauropod._text.phrases import AHEAD, LONGEST, Cut, Phrases

LONGEST_MARK = 16

words = st.sampled_from(
    [
        *"ab1I",
        "Dr",
        "hello",
        "etc",
        "p.m",
        "3.14",
        "No",
        "x" * 60,
        "```",
        "好",
        "é",
        "🎉",
        "👩\u200d🚀",
        "https://a.b/c?d=e",
    ]
)
marks = st.sampled_from([*" \n.!?,:;…—–。，”\")'*-(", "...", ". ", ", ", "\n\n", " " * 30])
texts = st.lists(words | marks, max_size=120).map("".join) | st.text(max_size=80)


def cut(text: str, places: list[int]) -> list[Cut]:
    """The phrases of a text that comes in pieces, cut at these places."""
    phrases = Phrases()
    bounds = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    found = [each for begin, end in pairwise(bounds) for each in phrases.feed(text[begin:end])]
    return found + phrases.finish()


def said(text: str) -> list[str]:
    return [each.text for each in cut(text, list(range(len(text))))]


@given(texts, st.lists(st.integers(0, 10_000), max_size=60))
@example("``", [1])
@example("a" * 249 + ".) b", [250, 251])
def test_the_phrases_are_the_same_however_the_text_comes(text: str, places: list[int]) -> None:
    assert cut(text, places) == cut(text, []) == cut(text, list(range(len(text))))


@given(texts)
def test_the_phrases_are_in_order_and_leave_out_nothing_but_space(text: str) -> None:
    found = cut(text, [])
    assert all(each.text == text[each.start : each.end] for each in found)
    assert all(each.text == each.text.strip() != "" for each in found)
    assert all(len(each.text) <= LONGEST for each in found)
    bounds = [0, *(place for each in found for place in (each.start, each.end)), len(text)]
    assert bounds == sorted(bounds)
    assert not any(text[begin:end].strip() for begin, end in zip(bounds[::2], bounds[1::2], strict=True))


@given(st.lists(texts, max_size=20))
def test_no_more_is_held_back_than_a_phrase_and_what_decides_about_its_end(pieces: list[str]) -> None:
    phrases = Phrases()
    fed = given_out = 0
    for piece in pieces:
        fed += len(piece)
        for each in phrases.feed(piece):
            given_out = each.end
        assert len(phrases._held) <= LONGEST + AHEAD + LONGEST_MARK
        assert len(phrases._held) <= fed - given_out


@pytest.mark.parametrize(
    "marked",
    [
        "Sure!| I can do that.",
        "Well of course I can help,| my friend, gladly.",
        "Yes, I can.| No, you cannot, or so.",
        "Dr. Smith met Mrs. Jones at St. Mary's.| They spoke.",
        "It is 3.14, or 1,000.| Right?",
        "It was 3.| Then it was 4.",
        "J. R. R. Tolkien wrote it.| So did I.| He was first.",
        "Use e.g. tea, i.e. leaves etc.| Then wait.",
        "At 5 p.m. we met.| At 6 p.m.| He left (at 7 p.m.) Bob.",
        "We saw No. 5.| No.| We did not.",
        "Well... what now?| Hm...| Let me see.",
        'He cried "Stop!" and ran.| "Yes."| (It was so.)| Good.',
        "hello there.| how are you?| fine",
        "See https://a.example/b.c?d=e.| It is there.",
        "Two things:|\n\n1. Tea|\n2. Milk.| Cold|\n- bread",
        "a line that was\nwrapped here|\nAnother",
        "你好，我是一个很有用的助手，|可以。|今天好吗？|“好。”|他说",
        "Great!| 🎉 Bye!| 👋",
        "**Bold.**| And _so_.| On",
        "One two three four —| and five.| Six",
        "One two three four –| and five",
        "... Well.",
        " \n ",
    ],
)
def test_a_phrase_ends_where_a_reader_would_pause(marked: str) -> None:
    assert said(marked.replace("|", "")) == [each.strip() for each in marked.split("|") if each.strip()]


def test_a_program_is_a_phrase_of_its_own() -> None:
    found = cut("Look:\n```py\nx = 1. \nprint('Hi. You')\n```\nThat was it. Bye.", [])
    assert [(each.text, each.code) for each in found] == [
        ("Look:", False),
        ("```py\nx = 1. \nprint('Hi. You')\n```", True),
        ("That was it.", False),
        ("Bye.", False),
    ]


def test_a_long_program_is_cut_between_lines() -> None:
    text = "```\n" + "line = 1\n" * 60 + "```\nDone."
    found = cut(text, [])
    assert [each.code for each in found] == [True] * (len(found) - 1) + [False]
    assert all(each.text.endswith(("line = 1", "```")) for each in found[:-1])


@pytest.mark.parametrize(
    ("unit", "end"),
    [("one two three, ", "three,"), ("word ", "word"), ("x", "x"), ("好", "好"), ("e\u0301", "e\u0301")],
)
def test_what_never_ends_is_cut_where_it_hurts_least(unit: str, end: str) -> None:
    found = cut("Yes. " + unit * (800 // len(unit)), [])[1:]
    assert len(found) > 3
    assert all(each.text.endswith(end) for each in found)
    assert all(len(each.text) > LONGEST // 2 for each in found[:-1])


def test_a_sentence_is_given_out_with_the_character_that_proves_its_end() -> None:
    phrases = Phrases()
    assert phrases.feed("It is 3.") == []
    assert phrases.feed("14.") == []
    assert phrases.feed(" ") == []
    assert [each.text for each in phrases.feed("S")] == ["It is 3.14."]


def test_a_long_text_takes_no_more_time_for_each_of_its_characters() -> None:
    assert len(cut("hello there. " * 10_000, [])) == 10_000
    assert len(cut("a" * 250_000, [])) == 1_000
    assert cut(" " * 250_000, []) == []
