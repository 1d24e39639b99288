"""Written: texts and how they are said, for the tests of English."""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from sauropod._phonemizers import English
from sauropod._speech.english.normalisation import Kind, normalised

ENGLISH = English()
"""One for all tests: its dictionaries are unpacked once."""


def said(text: str, language: str = "en-us") -> str:
    """All phonemes as one string, as a voice is given them."""
    return "".join(each.phonemes + " " * each.space for each in ENGLISH.phonemize(text, language))


def words(text: str, *, british: bool = False) -> str:
    """All words and marks of a text with spaces between; what is spelled has a tilde."""
    said = normalised(text, british=british)
    return " ".join(("~" if each.kind is Kind.LETTERS else "") + each.text for each in said if each.text)


def cases(table: str) -> list[ParameterSet]:
    """A line for each: the text, then what is said in America, then in Britain if that is something else."""
    found = []
    for line in table.strip().splitlines():
        text, american, *british = (part.strip() for part in line.split(" => "))
        found.append(pytest.param(text, american, british[0] if british else american, id=text))
    return found
