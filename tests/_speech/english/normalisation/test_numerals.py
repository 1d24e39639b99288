"""Numbers in words stand for the same number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod._speech.english.normalisation.numerals import (
    LONGEST,
    SCALES,
    SMALL,
    TENS,
    cardinal,
    digits,
    groups,
    ordinal,
    plural,
    year,
)


def counted(words: str) -> int:
    """What a number in words is, as one hears it: added up, and multiplied by what is said after it."""
    total = part = 0
    for word in words.replace("-", " ").split():
        if word in SMALL:
            part += SMALL.index(word)
        elif word in TENS:
            part += 10 * TENS.index(word)
        elif word == "hundred":
            part *= 100
        elif word != "and":
            total, part = total + part * 1000 ** SCALES.index(word), 0
    return total + part


@given(st.integers(0, 1000 ** len(SCALES) - 1), st.booleans())
def test_what_is_heard_is_what_was_written(number: int, british: bool) -> None:
    assert counted(cardinal(str(number), british)) == number


@given(st.integers(1, 10**9))
def test_only_britons_say_and(number: int) -> None:
    american, british = cardinal(str(number), False), cardinal(str(number), True)
    assert "and" not in american.split()
    assert british.replace(" and ", " ") == american
    assert british.count(" and ") <= american.count("hundred") + 1


@given(st.text("0123456789", min_size=1, max_size=60))
def test_any_digits_are_said(text: str) -> None:
    assert digits(text).count(" ") == len(text) - 1
    assert groups(text, False)
    if len(text.lstrip("0")) > LONGEST:
        assert cardinal(text, False) == digits(text)


@pytest.mark.parametrize(
    ("number", "said"),
    [("1", "first"), ("12", "twelfth"), ("30", "thirtieth"), ("42", "forty-second"), ("1000", "one thousandth")],
)
def test_an_ordinal_ends_its_last_word(number: str, said: str) -> None:
    assert ordinal(number, False) == said


@pytest.mark.parametrize(
    ("number", "said"),
    [
        ("1999", "nineteen ninety-nine"),
        ("1900", "nineteen hundred"),
        ("1805", "eighteen oh five"),
        ("2001", "two thousand one"),
    ],
)
def test_a_year_is_said_by_hundreds(number: str, said: str) -> None:
    assert year(number, False) == said


def test_numbers_have_plurals() -> None:
    assert [plural(each) for each in ("ninety", "six", "one")] == ["nineties", "sixes", "ones"]
