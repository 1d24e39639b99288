"""Abbreviations are said in full, and their full stops end sentences only where one ends."""

from __future__ import annotations

import pytest

from _speech.english.written import cases, words


@pytest.mark.parametrize(
    ("text", "american", "british"),
    cases("""
Dr. Smith => Doctor Smith
Dr Smith => Doctor Smith
Mr. and Mrs. Brown => Mister and Missus Brown
Ms. Lee => Miz Lee
Prof. Higgins => Professor Higgins
Lt. Dan => Lieutenant Dan
St. Paul => Saint Paul
on Main St. today => on Main street today
on Main St. => on Main street .
Mt. Everest => Mount Everest
e.g. apples => for example apples
i.e. now => that is now
pens, etc. => pens , etcetera .
pens, etc., and ink => pens , etcetera , and ink
cats vs. dogs => cats versus dogs
cats vs dogs => cats versus dogs
approx. 5 => approximately five
Acme Inc. => Acme incorporated .
Acme Ltd. said => Acme limited said
No. 5 => number five
No. I won't. => No . I won't .
pp. 3-4 => pages three to four
p. 7 => page seven
vol. 2 => volume two
the U.S. army => the ~US army
in the U.S. => in the ~US .
J. R. R. Tolkien => ~J ~R ~R Tolkien
J.R.R. Tolkien => ~JRR Tolkien
a Ph.D. student => a ~PHD student
a PhD => a ~PHD
Sammy Davis Jr. sang => Sammy Davis junior sang
dept. of state => department of state
He is ill. => He is ill .
so am I. He left. => so am I . He left .
"""),
)
def test_an_abbreviation_is_said_in_full(text: str, american: str, british: str) -> None:
    assert words(text) == american
    assert words(text, british=True) == british
