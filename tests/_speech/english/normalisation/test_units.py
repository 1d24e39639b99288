"""Units are said in full, in the plural unless there is one."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
5 km => five kilometers => five kilometres
1 km => one kilometer => one kilometre
3kg => three kilograms
1.5 kg => one point five kilograms
60 mph => sixty miles per hour
100 km/h => one hundred kilometers per hour => one hundred kilometres per hour
20°C => twenty degrees Celsius
68 °F => sixty-eight degrees Fahrenheit
-40°C => minus forty degrees Celsius
90° => ninety degrees
50% => fifty percent
0.5% => zero point five percent
12 m² => twelve square meters => twelve square metres
5m => five meters => five metres
8 GB => eight gigabytes
2.4 GHz => two point four gigahertz
100ms => one hundred milliseconds
10k => ten thousand
2x faster => two times faster
6 ft => six feet
5'10" => five foot ten
a 5-km run => a five kilometer run => a five kilometre run
10 min => ten minutes
200 lbs => two hundred pounds
5 in a row => five in a row
3 cats => three cats
2 minutes => two minutes
2–3 kg => two to three kilograms
"""),
)
def test_a_measure_is_said_in_words(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
