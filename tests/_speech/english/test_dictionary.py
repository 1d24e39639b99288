"""A packed dictionary says of every word what was put in, and nothing of any other."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._speech.english.dictionary import SYMBOLS, Dictionary, Entry, packed

PHONEMES = st.text(st.sampled_from("AIObdst" + SYMBOLS), min_size=1, max_size=6)
WORDS = st.text(st.sampled_from("abAB-.'"), min_size=1, max_size=4)
ENTRIES = st.builds(
    Entry,
    PHONEMES,
    st.dictionaries(st.sampled_from(["NOUN", "VERB", "None"]), PHONEMES | st.just(""), max_size=2),
    st.booleans(),
)


@settings(max_examples=50, deadline=None)
@given(st.dictionaries(WORDS, ENTRIES, max_size=30), WORDS | st.text(max_size=4))
def test_what_is_put_in_is_found_and_nothing_else(words: dict[str, Entry], other: str) -> None:
    dictionary = Dictionary(packed(words.items()))
    for word, entry in words.items():
        assert dictionary.find(word) == entry
    assert dictionary.find(other) == words.get(other)
    assert (other in dictionary) == (other in words)


def test_of_a_word_that_comes_twice_the_first_counts() -> None:
    one, other = Entry("A", {}, True), Entry("I", {}, False)
    assert Dictionary(packed([("a", one), ("a", other)])).find("a") == one
