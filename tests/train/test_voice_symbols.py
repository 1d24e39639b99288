"""Kokoro's alphabet, and flite's segments written in it."""

from __future__ import annotations

import random

from examples.train.voice import phones, symbols
from examples.train.voice.phones import Segment, Token
from hypothesis import given
from hypothesis import strategies as st

SOUNDS = sorted({*phones.CONSONANTS, *phones.VOWELS})


@st.composite
def utterances(draw: st.DrawFn) -> list[Segment]:
    """Words and pauses between two pauses, as flite has them."""
    segments = [Segment("pau", draw(st.integers(1, 40)))]

    def add(phone: str, **more: object) -> None:
        segments.append(Segment(phone, segments[-1].end + draw(st.integers(1, 60)), **more))  # type: ignore[arg-type]

    for number in range(draw(st.integers(1, 5))):
        word = draw(st.lists(st.sampled_from(SOUNDS), min_size=1, max_size=6))
        for place, phone in enumerate(word):
            closing = draw(st.sampled_from(["", ",", ".", '",', ")."])) if place == len(word) - 1 else ""
            opening = draw(st.sampled_from(["", "(", '"'])) if place == 0 else ""
            add(phone, stressed=draw(st.booleans()), word=f"word{number}", starts=place == 0, opening=opening,
                closing=closing)  # fmt: skip
        if draw(st.booleans()):
            add("pau")
    if segments[-1].phone != "pau":
        add("pau")
    return segments


@given(utterances(), st.integers())
def test_the_symbols_last_as_long_as_the_segments(segments: list[Segment], seed: int) -> None:
    said = phones.tokens(segments, random.Random(seed))
    assert sum(token.frames for token in said) == segments[-2].end - segments[0].end


@given(utterances(), st.integers())
def test_only_what_kokoro_knows_is_written(segments: list[Segment], seed: int) -> None:
    said = phones.tokens(segments, random.Random(seed))
    assert {token.symbol for token in said} <= set(symbols.VOCABULARY)
    assert not any(token.frames for token in said if token.symbol in (*symbols.NULLS, "ˈ", "ˌ"))


def test_a_pause_is_the_punctuations_or_a_spaces() -> None:
    pause, bee = Segment("pau", 10), Segment("b", 40, True, "b", True)
    for closing, expected in ((",", Token(",", 5)), ("", Token(" ", 5))):
        first = Segment("ey", 20, True, "eh", True, "", closing)
        said = phones.tokens([pause, first, Segment("pau", 25), bee, Segment("pau", 50)], random.Random(1))
        assert expected in said


def test_there_are_114_symbols_and_the_pad() -> None:
    assert len(symbols.VOCABULARY) == 115
    assert len(set(symbols.VOCABULARY.values())) == 115
    assert max(symbols.VOCABULARY.values()) < symbols.SIZE
    known = {"$": 0, "…": 10, " ": 16, "A": 24, "Y": 41, "z": 68, "ɡ": 92, "ɹ": 123, "ˈ": 156, "ᵻ": 177}
    assert known.items() <= symbols.VOCABULARY.items()


def test_every_symbol_is_trained_or_stands_for_one_that_is() -> None:
    trained = {*symbols.NULLS, *'$,.!?" ˈˌᵊɾʔɐᵻɚɒQ'}
    trained |= {*"".join(phones.CONSONANTS.values()), *"".join(phones.VOWELS.values())}
    assert set(symbols.VOCABULARY) == trained | set(symbols.NEAREST)
    assert set(symbols.NEAREST.values()) <= trained


def test_unknown_characters_are_left_out() -> None:
    assert symbols.encode("hə§l$O") == [0, 50, 83, 54, 31, 0]
