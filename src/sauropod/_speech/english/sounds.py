"""Sounds: the symbols words are said with, by what they are, and where the stress falls.

The symbols are misaki's (https://github.com/hexgrad/misaki, EN_PHONES.md): IPA with capitals for diphthongs.
"""

from __future__ import annotations

__all__ = [
    "CONSONANTS",
    "PAUSES",
    "PRIMARY",
    "SECONDARY",
    "STRESSES",
    "VOWELS",
    "at_least_secondary",
    "emphasized",
    "weakened",
    "weight",
]

PRIMARY, SECONDARY = "ˈ", "ˌ"
STRESSES = frozenset(PRIMARY + SECONDARY)
DIPHTHONGS = frozenset("AIOQWYʤʧ")
VOWELS = frozenset("AIOQWYaiuæɑɒɔəɛɜɪʊʌᵻ")
CONSONANTS = frozenset("bdfhjklmnpstvwzðŋɡɹɾʃʒʤʧθ")
PAUSES = frozenset(";:,.!?—…")
"""Marks at which the voice rests; words say themselves otherwise before them."""


def weight(phonemes: str) -> int:
    """How heavy a word is beside others of its compound: its symbols, diphthongs and affricates twice."""
    return sum(2 if symbol in DIPHTHONGS else 1 for symbol in phonemes)


def weakened(phonemes: str) -> str:
    """With its primary stress made a secondary one, if it has one, and no other."""
    if PRIMARY not in phonemes:
        return phonemes
    return phonemes.replace(SECONDARY, "").replace(PRIMARY, SECONDARY)


def at_least_secondary(phonemes: str) -> str:
    """With a secondary stress, if it has none at all."""
    return _marked(phonemes, SECONDARY) if STRESSES.isdisjoint(phonemes) else phonemes


def emphasized(phonemes: str) -> str:
    """With a primary stress, whatever it had."""
    if PRIMARY in phonemes:
        return phonemes
    if SECONDARY in phonemes:
        return phonemes.replace(SECONDARY, PRIMARY)
    return _marked(phonemes, PRIMARY)


def _marked(phonemes: str, stress: str) -> str:
    """With `stress` before its first vowel."""
    first = next((at for at, symbol in enumerate(phonemes) if symbol in VOWELS), None)
    return phonemes if first is None else phonemes[:first] + stress + phonemes[first:]
