"""Lexicon: the words the recogniser hears, how they are written and how they are read aloud."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from ..text import vocabulary
from ..text.phrasing import habits
from ..text.questions import load

FUNCTION_WORDS = Path(__file__).parent / "data" / "function_words.txt"
WORD = re.compile(r"[A-Za-z]+(?:'[A-Za-z]+)?")

ACRONYMS = ("cpp", "cpu", "gguf", "gpu", "hf", "llm")
"""Read letter by letter."""

UNITS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


def number(value: int) -> str:
    """`value` below a million in words: 1969 is `one thousand nine hundred sixty nine`."""
    if value < 20:
        return UNITS[value]
    if value < 100:
        return " ".join((TENS[value // 10 - 2], *((UNITS[value % 10],) if value % 10 else ())))
    size, name = (100, "hundred") if value < 1000 else (1000, "thousand")
    rest = (number(value % size),) if value % size else ()
    return " ".join((number(value // size), name, *rest))


@dataclass(frozen=True)
class Lexicon:
    """Words by their lower-case form: `written` says with which capitals each stands inside a sentence."""

    written: Mapping[str, str]

    def __contains__(self, word: str) -> bool:
        return word.lower() in self.written

    def knows(self, text: str) -> bool:
        """Whether every word of `text` is in it."""
        return all(word in self for word in WORD.findall(text))


@cache
def lexicon() -> Lexicon:
    """The demo language model's words, those of small talk around questions, and ordinary function words."""
    plain = (*vocabulary.PATH.read_text("utf-8").split(), *FUNCTION_WORDS.read_text("utf-8").lower().split())
    around = (*habits().before, *habits().after, *habits().fillers, *habits().short.values())
    words = {*plain, *(word.lower() for text in around for word in WORD.findall(text))}
    return Lexicon({word: _capitals().get(word, word) for word in sorted(words)})


def aloud(text: str) -> str:
    """`text` as a voice should read it: acronyms letter by letter."""
    return WORD.sub(lambda found: " ".join(found[0].upper()) if found[0].lower() in ACRONYMS else found[0], text)


@cache
def _capitals() -> Mapping[str, str]:
    texts = [text for each in load() for text in (*each.phrasings[:40], each.answer)]
    forms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for word in _inner(texts):
        forms[word.lower()][word] += 1
    found = {word: counts.most_common(1)[0][0] for word, counts in forms.items()}
    function = {word.lower(): word for word in FUNCTION_WORDS.read_text("utf-8").split()}
    letters = {letter: letter.upper() for letter in "bcdefghijklmnopqrstuvwxyz"}
    return {**found, **{word: word.upper() for word in ACRONYMS}, **letters, **function}


def _inner(texts: Iterable[str]) -> Iterable[str]:
    """Words that do not begin a sentence."""
    for text in texts:
        for sentence in re.split(r"(?<=[.?!:])\s", text):
            yield from WORD.findall(sentence)[1:]
