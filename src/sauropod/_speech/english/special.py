"""Special words: those said by what is around them, and those the dictionaries lack or have only one way of."""

from __future__ import annotations

import attrs

__all__ = ["ADDED", "Context", "special"]


@attrs.frozen
class Context:
    """What comes after a word."""

    vowel: bool | None = None
    """Whether a vowel is said next; None before a pause."""
    to: bool = False
    """Whether the next word is "to"."""


ADDED: dict[str, tuple[str, str]] = {
    "gif": ("ɡˈɪf", "ɡˈɪf"),
    "json": ("ʤˈAsᵊn", "ʤˈAsᵊn"),
    "linux": ("lˈɪnəks", "lˈɪnəks"),
    "mc": ("mək", "mək"),
    "twitter": ("twˈɪɾəɹ", "twˈɪtə"),
    "ubuntu": ("ʊbˈʊntu", "ʊbˈʊntuː"),
    "etcetera": ("ɛtsˈɛɾəɹə", "ɛtsˈɛtəɹə"),
    "exposé": ("ˌɛkspOzˈA", "ɛkspˈQzA"),
    "résumé": ("ɹˈɛzəmˌA", "ɹˈɛzjʊmA"),
    "rosé": ("ɹOzˈA", "ɹˈQzA"),
    "wikipedia": ("wˌɪkəpˈidiə", "wˌɪkɪpˈiːdɪə"),
    "wifi": ("wˈIfˌI", "wˈIfˌI"),
}
"""In small letters: American and British."""


def special(word: str, tag: str | None, context: Context, british: bool) -> str | None:
    """How a special word is said here, or None for any other. As Kokoro was taught by misaki."""
    lower = word.lower()
    if lower in ADDED:
        return ADDED[lower][british]
    if lower == "a":
        return "ˈA" if tag == "LETTER" or context.vowel is None else "ɐ"
    if lower == "an" and word != "AN":
        return "ɐn"
    if word == "I":
        return "ˌI"
    if word == "am" and context.vowel is not None:
        return "ɐm"
    if lower == "to":
        return {None: "tuː" if british else "tu", False: "tə", True: "tʊ"}[context.vowel]
    if lower == "in":
        return "ˈɪn" if context.vowel is None or tag == "RP" else "ɪn"
    if lower == "the":
        return "ði" if context.vowel else "ðə"
    if lower == "used":
        past = context.to and tag in ("VBD", "JJ")
        return ("jˈuːst" if british else "jˈust") if past else ("jˈuːzd" if british else "jˈuzd")
    return None
