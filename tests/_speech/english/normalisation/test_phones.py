"""Phone numbers are said digit by digit, with a rest between their groups."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
555-1234 => five five five , one two three four
(555) 123-4567 => five five five , one two three , four five six seven
+1 555 123 4567 => plus one , five five five , one two three , four five six seven
020 794 095 => zero two zero , seven nine four , zero nine five => oh two oh , seven nine four , oh nine five
4111 1111 1111 1111 => four one one one , one one one one , one one one one , one one one one
100-200 => one hundred to two hundred
"""),
)
def test_groups_of_digits_are_said_one_by_one(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
