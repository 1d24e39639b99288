"""Times of day are said as they are read off a clock."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
3:30pm => three thirty ~PM
3:30 PM => three thirty ~PM
3pm => three ~PM
3 pm => three ~PM
at 10 a.m. tomorrow => at ten ~AM tomorrow
It is 10 a.m. => It is ten ~AM .
It is 10 a.m. We go. => It is ten ~AM . We go .
10:00 => ten o'clock
10:00 am => ten ~AM
10:05 => ten oh five
12:45 => twelve forty-five
15:00 => fifteen hundred
23:59 => twenty-three fifty-nine
3.30pm => three thirty ~PM
10:15:30 => ten fifteen and thirty seconds
from 9am to 5pm => from nine ~AM to five ~PM
9:00-17:30 => nine o'clock to seventeen thirty
I am 3 => I am three
"""),
)
def test_a_time_is_said_in_words(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
