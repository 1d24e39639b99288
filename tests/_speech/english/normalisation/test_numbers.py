"""Numbers in all their forms are said as people say them."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
0 => zero
7 apples => seven apples
13 => thirteen
21 => twenty-one
100 => one hundred
101 => one hundred one => one hundred and one
342 => three hundred forty-two => three hundred and forty-two
1,000 => one thousand
1,005 => one thousand five => one thousand and five
12,345 => twelve thousand three hundred forty-five => twelve thousand three hundred and forty-five
1,000,000 => one million
2,000,001 => two million one => two million and one
7,000,000,000 => seven billion
3.14 => three point one four
0.5 => zero point five
.5 => point five
10.05 => ten point zero five
1,234.5 => one thousand two hundred thirty-four point five => one thousand two hundred and thirty-four point five
-5 => minus five
it was -3.5 => it was minus three point five
−8 => minus eight
1st => first
2nd => second
3rd => third
4th => fourth
5th => fifth
8th => eighth
9th => ninth
12th => twelfth
20th => twentieth
21st => twenty-first
22nd => twenty-second
100th => one hundredth
101st => one hundred first => one hundred and first
1,000th => one thousandth
1/2 => one half
1/4 => one quarter
3/4 => three quarters
2/3 => two thirds
5/8 => five eighths
7/16 => seven sixteenths
9/17 => nine over seventeen
2 1/2 => two and a half
3 3/4 => three and three quarters
½ cup => one half cup
2½ hours => two and a half hours
24/7 => twenty-four seven
10–20 => ten to twenty
10-20 => ten to twenty
10 – 20 => ten to twenty
0.5-1.5 => zero point five to one point five
pages 12-15 => pages twelve to fifteen
5-10% => five to ten percent
a 3-2 win => a three to two win
1990s => nineteen nineties
the '90s => the nineties
the 80s => the eighties
1800s => eighteen hundreds
2000s => two thousands
2010s => twenty tens
in her 30s => in her thirties
the 747s => the seven hundred forty-sevens => the seven hundred and forty-sevens
in 1984 => in nineteen eighty-four
in 1900 => in nineteen hundred
in 1905 => in nineteen oh five
in 2000 => in two thousand
in 2007 => in two thousand seven => in two thousand and seven
in 2024 => in twenty twenty-four
by 1066 => by ten sixty-six
1939–1945 => nineteen thirty-nine to nineteen forty-five
1939–45 => nineteen thirty-nine to forty-five
1500 people => fifteen hundred people
1234 apples => one thousand two hundred thirty-four apples => one thousand two hundred and thirty-four apples
3000 => three thousand
5280 => five thousand two hundred eighty => five thousand two hundred and eighty
1.2.3 => one point two point three
007 => zero zero seven => oh oh seven
1234567800 => one two three four five six seven eight zero zero => one two three four five six seven eight oh oh
"""),
)
def test_a_number_is_said_in_words(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
