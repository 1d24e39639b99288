"""A word is looked up as written, as it may also be written, and by its ending; what is not known is None."""

from __future__ import annotations

from sauropod._speech.english.dictionary import Entry
from sauropod._speech.english.lexicon import Lexicon, parts
from sauropod._speech.english.special import Context

LISTED = {
    "cat": Entry("kˈæt", {}, True),
    "and": Entry("ænd", {}, True),
    "Rome": Entry("ɹˈOm", {}, True),
    "lead": Entry("lˈid", {"NOUN": "lˈɛd"}, True),
    "by": Entry("bI", {"None": "bˈI"}, True),
    "US": Entry("ˌʌs", {"NOUN": ""}, True),
    "U": Entry("jˈu", {}, True),
    "S": Entry("ˈɛs", {}, True),
}
BORROWED = {"smith": Entry("smˈɪθ", {}, False)}
LEXICON = Lexicon(LISTED.get, BORROWED.get, british=False)
MIDDLE, LAST = Context(vowel=False), Context()


def say(word: str, tag: str | None = None, context: Context = MIDDLE) -> str | None:
    return LEXICON.say(word, tag, context)


def test_a_word_is_said_as_listed_with_its_endings() -> None:
    assert say("cat") == "kˈæt"
    assert say("cats") == say("cat's") == say("cats'") == "kˈæts"
    assert say("dog") is None


def test_the_first_letter_may_be_written_large_or_small() -> None:
    assert say("Cat") == "kˈæt"
    assert say("rome") == say("ROME") == "ɹˈOm"


def test_capitals_are_stressed() -> None:
    assert say("and") == "ænd"
    assert say("And") == "ˌænd"
    assert say("AND") == "ˈænd"


def test_the_part_of_speech_chooses_and_so_does_a_pause() -> None:
    assert (say("lead", "VB"), say("lead", "NN"), say("lead", "NNS")) == ("lˈid", "lˈɛd", "lˈɛd")
    assert (say("by"), say("by", context=LAST)) == ("bI", "bˈI")
    assert say("US", "NN") == "jˌuˈɛs"
    assert LEXICON.varies("lead")
    assert not LEXICON.varies("by")


def test_what_is_not_listed_is_borrowed_unless_it_may_be_an_abbreviation() -> None:
    assert say("Smith") == say("SMITH") == "smˈɪθ"
    assert say("Smiths") == "smˈɪθs"
    assert Lexicon(LISTED.get, {"amd": Entry("ˈɑmd", {}, False)}.get, british=False).say("AMD", None, MIDDLE) is None


def test_small_words_are_said_by_what_follows() -> None:
    vowel = Context(vowel=True)
    assert (say("the"), say("the", context=vowel)) == ("ðə", "ði")
    assert (say("to"), say("to", context=vowel), say("to", context=LAST)) == ("tə", "tʊ", "tu")
    assert (say("a"), say("a", context=LAST)) == ("ɐ", "ˈA")


def test_letters_are_spelled_with_the_last_one_stressed() -> None:
    assert LEXICON.spell("us") == "jˌuˈɛs"
    assert LEXICON.spell("X") is None
    assert LEXICON.spell("") is None


def test_a_compound_is_taken_apart_at_hyphens_and_capitals() -> None:
    assert parts("well-known") == ["well", "known"]
    assert parts("GitHub") == ["Git", "Hub"]
    assert parts("OpenAI") == ["Open", "AI"]
    assert parts("JSONFile") == ["JSON", "File"]
    assert parts("rock-'-roll") == ["rock", "roll"]
