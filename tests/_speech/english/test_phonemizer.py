"""Texts come out as misaki's symbols, in stretches of the text as it was given."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from _speech.english.written import ENGLISH, said
from sauropod._speech.english.dictionary import SYMBOLS
from sauropod.errors import UnsupportedInput

MARKS = ";:,.!?—…“”()"
SAYABLE = set("AIOQWYTɐabdfhijklmnpstuvwz " + SYMBOLS + MARKS) - set("ɾʔ")
LANGUAGES = ("en-us", "en-gb")
PIECES = st.sampled_from(
    [
        *("the ", "read ", "$3.50", "10–20", "1/2", "3:30pm", "a.m.", "Dr. ", "**", "`", "\n- ", "http://a.com/b"),
        *("&amp;", "ß", "e\u0301", "👍", "你好", "Привет", "U.S.", "'s", "“", '"', "GPT-4", "Henry VIII", "%", "#1"),
        *("[a](b.c)", "<b>", "½", "é"),
    ]
)


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("Hello world", "həlˈO wˈɜɹld"),
        ("goes", "ɡˈOz"),
        ("church", "ʧˈɜɹʧ"),
        ("Hello, world!", "həlˈO, wˈɜɹld!"),
        ("the apple and the pear", "ði ˈæpᵊl ænd ðə pˈɛɹ"),
        ("a dog", "ɐ dˈɔɡ"),
        ("an hour", "ɐn ˈWəɹ"),
        ("to eat", "tʊ ˈit"),
        ("to go", "tə ɡˌO"),
        ("What are you up to?", "wˌʌt ɑɹ ju ˌʌp tu?"),
        ("Come in.", "kˈʌm ˈɪn."),
        ("in it", "ɪn ɪt"),
        ("I am here.", "ˌI ɐm hˈɪɹ."),
        ("So am I.", "sˌO ɐm ˌI."),
        ("water", "wˈɔTəɹ"),
        ("better", "bˈɛTəɹ"),
        ("city", "sˈɪTi"),
        ("button", "bˈʌtn"),
        ("cats and dogs", "kˈæts ænd dˈɔɡz"),
        ("John's", "ʤˈɑnz"),
        ("the boss's", "ðə bˈɔsᵻz"),
        ("the dogs' tails", "ðə dˈɔɡz tˈAlz"),
        ("don't", "dˈOnt"),
        ("verified", "vˈɛɹəfˌId"),
        ("BBC", "bˌibˌisˈi"),
        ("NASA", "nˈæsə"),
        ("the USA", "ðə jˌuˌɛsˈA"),
        ("the US", "ðə jˌuˈɛs"),
        ("CDs", "sˌidˈiz"),
        ("well-known", "wˌɛlnˈOn"),
        ("T-shirt", "tˈiʃˌɜɹt"),
        ("twenty-one", "twˌɛntiwˈʌn"),
        ("GitHub", "ɡˈɪthəb"),
        ("café", "kæfˈA"),
        ("résumé", "ɹˈɛzəmˌA"),
        ("cats vs. dogs", "kˈæts vˈɜɹsəs dˈɔɡz"),
        ("5 km", "fˈIv kəlˈɑməTəɹz"),
        ("3.5", "θɹˈi pYnt fˈIv"),
        ("$2", "tˈu dˈɑləɹz"),
        ("3pm", "θɹˈi pˌiˈɛm"),
        ("Henry VIII", "hˈɛnɹi ði ˈAθ"),
        ("Dr. Smith", "dˈɑktəɹ smˈɪθ"),
        ("GPT-4", "ʤˌipˌitˈi fˈɔɹ"),
        ("COVID-19", "kˈOvˌɪd nˌIntˈin"),
        ("B2B", "bˈi tˈu bˈi"),
        ("Paul", "pˈɔl"),
        ("Google", "ɡˈuɡᵊl"),
        ("THIS IS IT!", "ðˈɪs ˈɪz ˈɪt!"),
        ('She said "hi".', "ʃˌi sˈɛd “hˈI”."),
        ("one (two) three", "wˈʌn (tˈu) θɹˈi"),
        ("well… no", "wˈɛl… nˈO"),
        ("this—that", "ðˈɪs—ðˈæt"),
        ("vitamin A is good", "vˈITəmən ˈA ɪz ɡˈʊd"),
        ("A cat", "ɐ kˈæt"),
    ],
)
def test_american_english_is_said(text: str, phonemes: str) -> None:
    assert said(text) == phonemes


@pytest.mark.parametrize(
    ("text", "phonemes"),
    [
        ("Hello world", "həlˈQ wˈɜːld"),
        ("goes", "ɡˈQz"),
        ("church", "ʧˈɜːʧ"),
        ("lieutenant", "lɛftˈɛnənt"),
        ("schedule", "ʃˈɛdjuːl"),
        ("tomato", "təmˈɑːtQ"),
        ("bath", "bˈɑːθ"),
        ("water", "wˈɔːtə"),
        ("the apple and the pear", "ði ˈapᵊl and ðə pˈɛː"),
        ("BBC", "bˌiːbˌiːsˈiː"),
        ("5 km", "fˈIv kˈɪləmˌiːtəz"),
        ("101", "wˈʌn hˈʌndɹəd and wˈʌn"),
        ("50p", "fˈɪfti pˈɛns"),
        ("wanted", "wˈɒntɪd"),
        ("boxes", "bˈɒksɪz"),
        ("Paul", "pˈɔːl"),
        ("Peter", "pˈiːtə"),
        ("Schmidt", "ʃmˈɪt"),
    ],
)
def test_british_english_is_said(text: str, phonemes: str) -> None:
    assert said(text, "en-gb") == phonemes


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("word", ["blorfing", "Zyxthorn", "snarkle's", "grumbletonian", "qwertyish", "Xanthippe"])
def test_an_invented_word_is_said_with_one_primary_stress(word: str, language: str) -> None:
    assert said(word, language).count("ˈ") == 1
    assert len(said(word, language)) >= len(word) // 2


def test_letters_without_a_vowel_are_spelled() -> None:
    assert said("zxqv") == said("Z X Q V").replace(" ", "").replace("ˈ", "ˌ")[::-1].replace("ˌ", "ˈ", 1)[::-1]
    assert said("GPU") == "ʤˌipˌijˈu"


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=100, deadline=None)
@given(text=st.one_of(st.text(max_size=60), st.lists(PIECES | st.text(max_size=4), max_size=12).map("".join)))
def test_any_text_is_said_in_order_and_nothing_twice(text: str, language: str) -> None:
    stretches = ENGLISH.phonemize(text, language)
    end = 0
    for each in stretches:
        assert end <= each.start <= each.end <= len(text)
        assert set(each.phonemes) <= SAYABLE
        assert each.phonemes == each.phonemes.strip()
        end = each.end


@settings(max_examples=60, deadline=None)
@given(st.lists(st.from_regex(r"[A-Za-z]{1,9}|[0-9]{1,6}", fullmatch=True), min_size=1, max_size=8))
def test_every_word_and_number_is_in_one_stretch_that_is_said(words: list[str]) -> None:
    text = " ".join(words)
    covered = [False] * len(text)
    for each in ENGLISH.phonemize(text, "en-us"):
        assert each.phonemes
        covered[each.start : each.end] = [True] * (each.end - each.start)
    assert all(here or character == " " for here, character in zip(covered, text, strict=True))


@pytest.mark.parametrize("language", LANGUAGES)
@settings(max_examples=40, deadline=None)
@given(text=st.text(st.sampled_from("abeT1.,'\" -$%/:\n"), max_size=30))
def test_the_same_text_is_always_said_the_same(text: str, language: str) -> None:
    assert ENGLISH.phonemize(text, language) == ENGLISH.phonemize(text, language)


def test_a_stretch_is_where_the_word_is_in_the_text_as_given() -> None:
    text = "Œuvre: e\u0301te\u0301 costs $3.50, **truly**!"
    stretches = ENGLISH.phonemize(text, "en-us")
    assert [text[each.start : each.end] for each in stretches] == [
        *("Œuvre", ":", "e\u0301te\u0301", "costs", "$3.50", ",", "truly", "!"),
    ]


def test_what_is_not_read_is_a_stretch_without_phonemes() -> None:
    before, skipped, after = ENGLISH.phonemize("hello Привет world", "en-us")
    assert (skipped.phonemes, skipped.space) == ("", False)
    assert before.space
    assert after.phonemes == "wˈɜɹld"


@pytest.mark.parametrize(
    "pattern", ["a", "1", "a.", "1,", "1/", "[", "](", "a-", "'", "\n", "- ", "a@", "1 ", "<a", "|-"]
)
def test_a_long_run_of_anything_takes_time_in_proportion(pattern: str) -> None:
    """Not by a clock: a pattern that takes time in the square of its length would not end here."""
    text = pattern * (5_000 // len(pattern))
    assert all(each.end <= len(text) for each in ENGLISH.phonemize(text, "en-us"))


def test_another_language_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="en-us or en-gb"):
        ENGLISH.phonemize("bonjour", "fr")


def test_importing_it_imports_no_numpy() -> None:
    code = "import sys, sauropod._speech.english; assert 'numpy' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
