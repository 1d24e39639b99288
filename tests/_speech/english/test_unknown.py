"""Words that nobody listed are said: by the network, in pieces, or letter by letter."""

from __future__ import annotations

from typing import cast

from sauropod._speech.english.alphabet import LONGEST
from sauropod._speech.english.dictionary import Entry
from sauropod._speech.english.letters import Letters
from sauropod._speech.english.lexicon import Lexicon
from sauropod._speech.english.unknown import MOST, Unknown

LISTED = {letter: Entry(f"{letter.lower()}ˈi", {}, True) for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
LISTED |= {"black": Entry("blˈæk", {}, True), "bird": Entry("bˈɜɹd", {}, True)}


class Asked:
    """In place of the network: remembers what it was asked, and says `said`."""

    def __init__(self, said: str) -> None:
        self.said = said
        self.pieces: list[str] = []

    def say(self, word: str, accent: str) -> str:
        self.pieces.append(word)
        return self.said


def unknown(asked: Asked) -> Unknown:
    return Unknown(Lexicon(LISTED.get, british=False), lambda: cast("Letters", asked))


def test_the_network_is_asked_once_for_a_word() -> None:
    words = unknown(asked := Asked("sˈAd"))
    assert words.say("blorf") == words.say("Blorf") == "sˈAd"
    assert asked.pieces == ["blorf"]


def test_a_word_of_two_listed_ones_is_said_as_both() -> None:
    words = unknown(asked := Asked("sˈAd"))
    assert words.say("blackbird") == "blˈækbˌɜɹd"
    assert not asked.pieces


def test_abbreviations_and_letters_without_a_vowel_are_spelled() -> None:
    words = unknown(asked := Asked("sˈAd"))
    assert words.say("XAB") == "xˌiaˌibˈi"
    assert words.say("zxq") == "zˌixˌiqˈi"
    assert not asked.pieces


def test_a_primary_stress_is_put_where_there_is_none_and_only_the_first_is_kept() -> None:
    assert unknown(Asked("blɔf")).say("blorf") == "blˈɔf"
    assert unknown(Asked("blˈɔfˈI")).say("blorf") == "blˈɔfˌI"


def test_a_long_word_is_read_in_pieces() -> None:
    words = unknown(asked := Asked("sˈAd"))
    assert words.say("ab" * LONGEST) == "sˈAdsˈAd"
    assert {len(piece) for piece in asked.pieces} == {LONGEST}


def test_after_many_new_words_of_a_text_they_are_spelled() -> None:
    words = unknown(asked := Asked("sˈAd"))
    names = [f"{a}{b}{c}o" for a in "bcdfghjk" for b in "lmnpqrst" for c in "bcdfghjk"]
    said = [words.say(name) for name in names]
    assert len(asked.pieces) == MOST < len(names)
    assert said[MOST - 1] == "sˈAd"
    assert said[-1] == "kˌitˌikˌioˈi"
    words.begin()
    assert words.say(names[-1]) == "sˈAd"
