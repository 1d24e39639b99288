"""Whole sentences are read as somebody reads them aloud."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from _speech.english.written import words
from sauropod._speech.english.normalisation import normalised

SENTENCES = """
She was born in 1987, and earned $72,500/year by 2015.
    She was born in nineteen eighty-seven , and earned seventy-two thousand five hundred dollars per year by
    twenty fifteen .
In Q3 2023, revenue rose 12.5% to $3.2B, vs. $2.85B a year earlier.
    In ~Q three twenty twenty-three , revenue rose twelve point five percent to three point two billion dollars ,
    versus two point eight five billion dollars a year earlier .
Add 1 1/2 cups (350 ml) of flour, 2 tsp. salt, and bake at 350°F for 25-30 min.
    Add one and a half cups ( three hundred fifty milliliters ) of flour , two teaspoons salt , and bake at three
    hundred fifty degrees Fahrenheit for twenty-five to thirty minutes .
The meeting is on Tues., Jan. 5th at 9:30 a.m. EST, not 9:30 p.m.
    The meeting is on Tuesday , January fifth at nine thirty ~AM EST , not nine thirty ~PM .
My e-mail is john.smith@gmail.com; call 1-800-555-0199.
    My e-mail is john dot smith at gmail dot com ; call one , eight zero zero , five five five , zero one nine
    nine .
The U.S. population is ~331 million (as of 2020), i.e. about 4.25% of the world's.
    The ~US population is about three hundred thirty-one million ( as of twenty twenty ) , that is about four
    point two five percent of the world's .
Apollo 11 landed on July 20, 1969, at 20:17 UTC.
    Apollo eleven landed on July twentieth , nineteen sixty-nine , at twenty seventeen UTC .
Mr. O'Neill, Ph.D., lives at 221B Baker St., London.
    Mister O'Neill , ~PHD , lives at two twenty-one ~B Baker street , London .
"Well," he said, "I don't know..." Then—silence.
    “ Well , ” he said , “ I don't know … ” Then — silence .
He's 6'2" and weighs 180 lbs. BMI: 23.1.
    He's six foot two and weighs one hundred eighty pounds . BMI : twenty-three point one .
World War I began in 1914; Louis XVI died in 1793.
    World War one began in nineteen fourteen ; Louis the sixteenth died in seventeen ninety-three .
COVID-19 vaccines (mRNA-1273) were ~95% effective.
    COVID nineteen vaccines ( mRNA twelve seventy-three ) were about ninety-five percent effective .
From 1pm-3pm. In the mid-1990s, or the early 2000s.
    From one ~PM to three ~PM . In the mid nineteen nineties , or the early two thousands .
Prices: $1,000–$2,000; 50¢; 100k users; 1M+ downloads; a 7B model; 4K video.
    Prices : one thousand to two thousand dollars ; fifty cents ; one hundred thousand users ; one million plus
    downloads ; a seven billion model ; four ~K video .
Chapter 3, p. 42, fig. 2a, vol. XII, §4.2.
    Chapter three , page forty-two , figure two ~A , volume twelve , section four point two .
From -5°C to +10°C; 100% sure; 1/3 of 1/4.
    From minus five degrees Celsius to plus ten degrees Celsius ; one hundred percent sure ; one third of one
    quarter .
St. Mary's, 5th Ave. and 42nd St. in NYC. Mt. Fuji. Ft. Lauderdale
    Saint Mary's , fifth avenue and forty-second street in NYC . Mount Fuji . Fort Lauderdale
Tel: +44 (0)20 7946 0958 ext. 12
    Tel : plus four four , zero , two zero , seven nine four six , zero nine five eight extension twelve
He scored 4/5; open 24/7; on 9/11; 1/1/2000; aspect 16:9.
    He scored four fifths ; open twenty-four seven ; on nine eleven ; January first two thousand ; aspect sixteen
    to nine .
I live at No. 10. No. Not now. A no. 1 hit.
    I live at number ten . No . Not now . A number one hit .
Vitamin C, plan B, section A. I am A.
    Vitamin C , plan B , section A . I am A .
20th-century art; 1960s-style; a 2nd-largest 10-year-old.
    twentieth century art ; nineteen sixties style ; a second largest ten year-old .
Check https://github.com/org/repo/issues/42!
    Check github dot com slash org slash repo slash issues slash forty-two !
Sure! Here's a summary: **Key points** — (1) it's `fast`.
    Sure ! Here's a summary : Key points — ( one ) it's fast .
"""


def sentences() -> list[tuple[str, str]]:
    """Each with what is said, which goes on over indented lines."""
    found: list[tuple[str, str]] = []
    for line in SENTENCES.strip().splitlines():
        if line.startswith(" "):
            text, said = found.pop()
            found.append((text, f"{said} {line.strip()}".strip()))
        else:
            found.append((line, ""))
    return found


@pytest.mark.parametrize(("text", "said"), sentences())
def test_a_sentence_is_read_aloud(text: str, said: str) -> None:
    assert words(text) == said


@given(st.text(max_size=80), st.booleans())
def test_words_come_in_the_text_s_order(text: str, british: bool) -> None:
    place = (0, 0)
    for each in normalised(text, british=british):
        assert 0 <= each.start <= each.end <= len(text)
        assert (each.start, each.end) >= place
        place = (each.start, each.end)
