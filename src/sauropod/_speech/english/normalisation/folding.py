"""Folding: a text in the characters that rules know, and where each of them stands in the text as given."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import attrs

__all__ = ["Folded", "fold"]

REPLACED = {
    **dict.fromkeys("‘’‚‛′ʼ´＇", "'"),
    **dict.fromkeys("„‟″＂«»", '"'),
    **dict.fromkeys("‐‑‒﹣－", "-"),
    **dict.fromkeys("―⸺", "—"),
    "−": "-",
    "ß": "ss",
    "ẞ": "SS",
    "ø": "o",
    "Ø": "O",
    "ł": "l",
    "Ł": "L",
    "đ": "d",
    "Đ": "D",
    "ð": "th",
    "Ð": "Th",
    "þ": "th",
    "Þ": "Th",
    "æ": "ae",
    "Æ": "Ae",
    "œ": "oe",
    "Œ": "Oe",
    "ı": "i",
    "ħ": "h",
    "µ": "μ",
    "Ω": "Ω",
    "⁄": "/",
    "∕": "/",
    "。": ".",
    "、": ",",
    "\u00ad": "",
    "\u200b": "",
    "\ufeff": "",
}
KEPT = frozenset("“”–—…½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚²³¹°©№")
"""Characters with a meaning of their own, which folding would take from them."""


BEYOND = re.compile(r"[^\x00-\x7f]")


@attrs.frozen
class Folded:
    """A text in plain characters."""

    plain: str
    starts: list[int] | None
    """For each character of `plain` and for its end, where it begins in the text as given; None if nothing moved."""

    def place(self, at: int) -> int:
        """Where a place in `plain` is in the text as given."""
        return at if self.starts is None else self.starts[at]


def fold(text: str) -> Folded:
    """Accents off, typographic variants to one form, what is written wide to ASCII."""
    if text.isascii():
        return Folded(text, None)
    found = [(each.start(), _folded(each[0])) for each in BEYOND.finditer(text)]
    if all(len(put) == 1 for _, put in found):
        characters = list(text)
        for at, put in found:
            characters[at] = put
        return Folded("".join(characters), None)
    plain: list[str] = []
    starts: list[int] = []
    done = 0
    for at, put in [*found, (len(text), "")]:
        plain += [text[done:at], put]
        starts += range(done, at)
        starts += [at] * len(put)
        done = at + 1
    return Folded("".join(plain), [*starts, len(text)])


@lru_cache(maxsize=4096)
def _folded(character: str) -> str:
    """One character beyond ASCII: what stands for it, or nothing for marks that only change another."""
    if character in KEPT:
        return character
    if character in REPLACED:
        return REPLACED[character]
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    parted = unicodedata.normalize("NFKD", character)
    if len(parted) > 4:
        return character
    bare = "".join(each for each in parted if not unicodedata.combining(each))
    if bare and bare.isascii():
        return bare
    return "" if not bare else character
