"""Arpabet: CMUdict's way of writing sounds, as misaki's.

Weak vowels, flaps and endings are put as misaki's gold list has them: of 34,000 words in both, 72 % are then the same
but for stress, 65 % with it.
"""

from __future__ import annotations

import re

SOUNDS = {
    "AA": "ɑ",
    "AE": "æ",
    "AH": "ʌ",
    "AO": "ɔ",
    "AW": "W",
    "AY": "I",
    "EH": "ɛ",
    "ER": "ɜɹ",
    "EY": "A",
    "IH": "ɪ",
    "IY": "i",
    "OW": "O",
    "OY": "Y",
    "UH": "ʊ",
    "UW": "u",
    "CH": "ʧ",
    "DH": "ð",
    "G": "ɡ",
    "HH": "h",
    "JH": "ʤ",
    "NG": "ŋ",
    "R": "ɹ",
    "SH": "ʃ",
    "TH": "θ",
    "Y": "j",
    "ZH": "ʒ",
    **{each: each.lower() for each in "BDFKLMNPSTVWZ"},
}
UNSTRESSED = {"AH0": "ə", "ER0": "əɹ"}
STRESS = {"1": "ˈ", "2": "ˌ"}
VOWEL = "AIOWYiuæɑɔəɛɜɪʊʌᵻ"
WEAK = "iəɪAOᵻ"
REFINED = (
    (re.compile(rf"(?<=[{VOWEL}ɹ])t(?=[{WEAK}])"), "ɾ"),
    (re.compile(r"ɾən"), "tᵊn"),
    (re.compile(rf"əl(?![ˈˌ{VOWEL}j])"), "ᵊl"),
    (re.compile(r"(?<=[tdɾ])[ɪə]d$"), "ᵻd"),
    (re.compile(r"(?<=[szʃʒʧʤ])[ɪə]z$"), "ᵻz"),
    (re.compile(rf"(?<=[^ˈˌ{VOWEL}])ɪ(?=[bdflmnpstvɾ][ˈˌ]?[{VOWEL}])(?!n[ˈˌ]?ɡ)"), "ə"),
)


def phonemes(arpabet: str) -> str:
    """Sounds with spaces between, such as `G UW1 G AH0 L`."""
    said = "".join(_sound(each) for each in arpabet.split())
    for written, put in REFINED:
        said = written.sub(put, said)
    return said


def _sound(written: str) -> str:
    if written in UNSTRESSED:
        return UNSTRESSED[written]
    return STRESS.get(written[-1], "") + SOUNDS[written.rstrip("012")]
