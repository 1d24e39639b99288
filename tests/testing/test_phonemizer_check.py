"""Our own phonemizer keeps its contract, and one that does not is found out."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Any

import attrs
import pytest

from sauropod._phonemizers import English
from sauropod.abc import Phonemizer, Pronounced
from sauropod.testing import ContractViolation, check_phonemizer


def test_our_own_keeps_the_contract() -> None:
    check_phonemizer(English)


class Spelling(Phonemizer):
    """Says words as they are written."""

    @property
    def languages(self) -> Collection[str]:
        return ("en", "sr-latn-rs")

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        return [Pronounced(found.start(), found.end(), found[0].lower()) for found in re.finditer(r"\S+", text)]


def test_one_that_spells_keeps_the_contract() -> None:
    check_phonemizer(Spelling)


class Capital(Spelling):
    languages = ("EN",)


class Nowhere(Spelling):
    languages = ()


class Altered(Spelling):
    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        return [self.altered(each, text) for each in super().phonemize(text, language)]

    def altered(self, said: Pronounced, text: str) -> Pronounced:
        raise NotImplementedError


class Overlapping(Altered):
    def altered(self, said: Pronounced, text: str) -> Pronounced:
        return attrs.evolve(said, start=0)


class Outside(Altered):
    def altered(self, said: Pronounced, text: str) -> Pronounced:
        return attrs.evolve(said, end=len(text) + 1)


class Silent(Altered):
    def altered(self, said: Pronounced, text: str) -> Pronounced:
        return attrs.evolve(said, phonemes="")


class Wordless(Altered):
    def altered(self, said: Pronounced, text: str) -> Pronounced:
        return attrs.evolve(said, phonemes=None)  # type: ignore[arg-type]


class Clipping(Altered):
    """Leaves a word's last letters out."""

    def altered(self, said: Pronounced, text: str) -> Pronounced:
        return attrs.evolve(said, end=said.start + 1)


class Fragile(Spelling):
    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        text.encode("latin-1")
        return super().phonemize(text, language)


class Learning(Spelling):
    """Says a text another way, once it has heard others."""

    def __init__(self) -> None:
        self.heard: set[str] = set()

    def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
        self.heard.add(text)
        mark = "ˈ" if len(self.heard) > 5 else ""
        return [attrs.evolve(each, phonemes=mark + each.phonemes) for each in super().phonemize(text, language)]


class Pairs(Spelling):
    def phonemize(self, text: str, language: str) -> Sequence[Any]:
        return [(each.start, each.phonemes) for each in super().phonemize(text, language)]


@pytest.mark.parametrize(
    ("broken", "breach"),
    [
        (Capital, "BCP-47"),
        (Nowhere, "languages is empty"),
        (Overlapping, "out of order"),
        (Outside, "or outside"),
        (Silent, "nothing is said"),
        (Wordless, "no text"),
        (Clipping, "no stretch covers"),
        (Fragile, "it takes any text"),
        (Learning, "another way"),
        (Pairs, "no Pronounced"),
    ],
)
def test_a_phonemizer_that_breaks_the_contract_is_found_out(broken: type[Spelling], breach: str) -> None:
    with pytest.raises(ContractViolation, match=breach):
        check_phonemizer(broken)


def test_texts_may_be_ones_own() -> None:
    class Picky(Spelling):
        def phonemize(self, text: str, language: str) -> Sequence[Pronounced]:
            return [each for each in super().phonemize(text, language) if each.phonemes == "dobar"]

    check_phonemizer(Picky, texts=dict.fromkeys(("en", "sr-latn-rs"), "Dobar"))
