"""Dates are said in the order of the land, where digits leave it open."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
3 March 2024 => the third of March twenty twenty-four
3rd March => the third of March
21 Dec 1999 => the twenty-first of December nineteen ninety-nine
March 3, 2024 => March third , twenty twenty-four => March the third , twenty twenty-four
March 3rd, 2024 => March third , twenty twenty-four => March the third , twenty twenty-four
Dec. 25 => December twenty-fifth => December the twenty-fifth
Sept 11 => September eleventh => September the eleventh
2024-03-03 => March third twenty twenty-four => the third of March twenty twenty-four
03/04/2024 => March fourth twenty twenty-four => the third of April twenty twenty-four
13/04/2024 => April thirteenth twenty twenty-four => the thirteenth of April twenty twenty-four
04/13/2024 => April thirteenth twenty twenty-four => the thirteenth of April twenty twenty-four
3/4/21 => March fourth twenty-one => the third of April twenty-one
03.04.2024 => April third twenty twenty-four => the third of April twenty twenty-four
March 2024 => March twenty twenty-four
Jan 2020 => January twenty twenty
Mon, 3 March => Monday , the third of March
May 1 => May first => May the first
I may 1 day => I may one day
"""),
)
def test_a_date_is_said_in_words(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
