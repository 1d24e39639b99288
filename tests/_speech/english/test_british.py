"""An American pronunciation becomes the British one, as the dictionaries of both have it."""

from __future__ import annotations

import pytest

from sauropod._speech.english.british import british


@pytest.mark.parametrize(
    ("word", "american", "said"),
    [
        ("goat", "ɡˈOt", "ɡˈQt"),
        ("cat", "kˈæt", "kˈat"),
        ("car", "kˈɑɹ", "kˈɑː"),
        ("north", "nˈɔɹθ", "nˈɔːθ"),
        ("nurse", "nˈɜɹs", "nˈɜːs"),
        ("hot", "hˈɑt", "hˈɒt"),
        ("dog", "dˈɔɡ", "dˈɒɡ"),
        ("law", "lˈɔ", "lˈɔː"),
        ("fleece", "flˈis", "flˈiːs"),
        ("goose", "ɡˈus", "ɡˈuːs"),
        ("happy", "hˈæpi", "hˈapi"),
        ("letter", "lˈɛɾəɹ", "lˈɛtə"),
        ("near", "nˈɪɹ", "nˈɪə"),
        ("very", "vˈɛɹi", "vˈɛɹi"),
        ("boxes", "bˈɑksᵻz", "bˈɒksɪz"),
    ],
)
def test_a_word_is_said_as_in_britain(word: str, american: str, said: str) -> None:
    assert british(word, american) == said
