"""Words keep what belongs to them: apostrophes, hyphens, capitals."""

from __future__ import annotations

import pytest

from _speech.english.written import words


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("don't can't I'm", "don't can't I'm"),
        ("John’s dog", "John's dog"),
        ("the dogs' tails", "the dogs' tails"),
        ("'tis the season", "'tis the season"),
        ("rock 'n' roll", "rock and roll"),
        ("well-known state-of-the-art", "well-known state-of-the-art"),
        ("CDs and PCs", "CD's and PC's"),
        ("the BBC's news", "the BBC's news"),
        ("café naïve Zürich Łódź", "cafe naive Zurich Lodz"),
        ("Straße smørrebrød", "Strasse smorrebrod"),
        ("the π and the Ω", "the pi and the omega"),
        ("hello Привет 你好 world", "hello world"),
        ("snake_case", "snake case"),
        ("ｆｕｌｌ ｗｉｄｔｈ ３", "full width three"),
        ("cafe\u0301", "cafe"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_a_word_is_kept_whole(text: str, said: str) -> None:
    assert words(text) == said
