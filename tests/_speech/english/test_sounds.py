"""Stress is put before a vowel, taken back, or raised, and nothing else changes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod._speech.english.sounds import (
    PRIMARY,
    SECONDARY,
    STRESSES,
    VOWELS,
    at_least_secondary,
    emphasized,
    weakened,
)

PHONEMES = st.text(st.sampled_from("bstæəIOˈˌ"), max_size=8)


@pytest.mark.parametrize("change", [weakened, at_least_secondary, emphasized])
@given(phonemes=PHONEMES)
def test_sounds_stay_as_they_are(change: Callable[[str], str], phonemes: str) -> None:
    def bare(text: str) -> str:
        return "".join(symbol for symbol in text if symbol not in STRESSES)

    assert bare(change(phonemes)) == bare(phonemes)


@given(PHONEMES)
def test_what_is_weakened_has_no_primary_stress(phonemes: str) -> None:
    assert PRIMARY not in weakened(phonemes)


@given(PHONEMES)
def test_what_is_emphasized_has_one_if_it_has_a_vowel(phonemes: str) -> None:
    if not VOWELS.isdisjoint(phonemes):
        assert PRIMARY in emphasized(phonemes)


def test_a_stress_is_put_before_the_first_vowel() -> None:
    assert at_least_secondary("ðə") == f"ð{SECONDARY}ə"
    assert emphasized("stənd") == f"st{PRIMARY}ənd"
    assert emphasized("ˌʌp") == "ˈʌp"
    assert at_least_secondary("hm") == "hm"
