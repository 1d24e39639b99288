"""British: what an American pronunciation becomes in Britain, for names that only an American dictionary lists."""

from __future__ import annotations

import re

__all__ = ["british"]

NOT_BEFORE_VOWEL = r"(?![ˈˌ]?[AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻᵊ])"
STEPS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(written), said)
    for written, said in (
        (r"(?<=ˈ)([^ˈˌ]*)ˌ", r"\1"),  # no secondary stress after the primary one; twice, for there may be two
        (r"(?<=ˈ)([^ˈˌ]*)ˌ", r"\1"),
        (rf"əɹ{NOT_BEFORE_VOWEL}", "ə"),
        (rf"ɜɹ{NOT_BEFORE_VOWEL}", "ɜː"),
        (rf"ɑɹ{NOT_BEFORE_VOWEL}", "ɑː"),
        (rf"ɔɹ{NOT_BEFORE_VOWEL}", "ɔː"),
        (rf"ɛɹ{NOT_BEFORE_VOWEL}", "ɛː"),
        (rf"[ɪi]ɹ{NOT_BEFORE_VOWEL}", "ɪə"),
        (rf"[ʊu]ɹ{NOT_BEFORE_VOWEL}", "ʊə"),
        (rf"ɹ{NOT_BEFORE_VOWEL}", ""),
        (r"ɜ(?!ː)", "ɜː"),
        (r"(?<=[ˈˌ])i", "iː"),
        (r"i(?=[^ː])", "ɪ"),
        (r"u(?!ː)", "uː"),
        (r"O", "Q"),
        (r"æ", "a"),
        (r"ɾ", "t"),
        (r"ʔ", "t"),
        (r"ᵻ", "ɪ"),
    )
)
SHORT_O = re.compile(r"o(?![uwa])")
LONG_O = re.compile(r"au|aw|al|ou|oa|ought|or")


def british(word: str, american: str) -> str:
    """The American phonemes of `word`, as a Briton would say them. Vowels spelled with an o are told apart by it."""
    said = american
    for pattern, put in STEPS:
        said = pattern.sub(put, said)
    said = re.sub(r"ɑ(?!ː)", "ɒ" if SHORT_O.search(word.lower()) else "ɑː", said)
    return re.sub(r"ɔ(?!ː)", "ɔː" if LONG_O.search(word.lower()) else "ɒ", said)
