"""Symbols are said by their names, where they stand for something."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
salt & pepper => salt and pepper
R&D => R and D
2 + 2 = 4 => two plus two equals four
a = b => a equals b
C++ => C plus plus
C# => C sharp
#1 => number one
#winning => hashtag winning
@sauropod => at sauropod
and/or => and or
he/she => he slash she
5 * 3 => five times three
5 - 3 => five minus three
5 × 3 => five times three
6 ÷ 2 => six divided by two
2^10 => two to the power of ten
x² => x squared
x < 5 => x less than five
5 > 3 => five greater than three
~50 => about fifty
± 3 => plus or minus three
© 2024 => copyright twenty twenty-four
§ 5 => section five
10 % => ten percent
Node.js => Node dot js
.NET => dot NET
90 miles/hour => ninety miles per hour
"""),
)
def test_a_symbol_is_said_by_its_name(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
