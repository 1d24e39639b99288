"""Roman numerals are numbers after names, and letters elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _speech.english.written import cases, words
from sauropod._speech.english.normalisation.roman import value


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
Henry VIII => Henry the eighth
Louis XIV was king => Louis the fourteenth was king
Elizabeth II => Elizabeth the second
Elizabeth I ruled => Elizabeth the first ruled
Charles V. => Charles the fifth .
John Paul II => John Paul the second
World War II => World War two
Chapter IV => Chapter four
Part V => Part five
Rocky III => Rocky three
Malcolm X => Malcolm X
Then I left => Then I left
Henry I think => Henry I think
I saw it => I saw it
the IV drip => the IV drip
"""),
)
def test_a_numeral_is_said_by_what_it_counts(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british


@given(st.integers(1, 49))
def test_a_numeral_has_its_value(number: int) -> None:
    tens, ones = divmod(number, 10)
    written = ["", "X", "XX", "XXX", "XL"][tens] + ["", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX"][ones]
    assert value(written) == number
