"""Roman numerals, after a ruler's name or what is counted."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import listed
from sauropod._speech.english.normalisation.numerals import cardinal, ordinal
from sauropod._speech.english.normalisation.said import Found, Line, said_as

__all__ = ["RULES", "value"]

NUMERAL = re.compile(r"(X{0,3}(?:IX|IV|V?I{0,3})|X?L[XVI]{0,5})(?![A-Za-z0-9]|\.[A-Za-z]|-[A-Za-z])")
WELL_FORMED = re.compile(r"(?:X[LC]|L?X{0,3})(?:I[XV]|V?I{0,3})")
VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
NAME = re.compile(r"([A-Z][a-z]+|[A-Z]{2,}|\b(?:vol|ch|fig|act|part|chapter|volume|book))\.? $")
RULERS = listed(
    "Alexander Alfonso Benedict Boniface Catherine Charles Christian Clement Constantine Darius Edward Elizabeth "
    "Ferdinand Francis Frederick George Gregory Gustav Haakon Harald Henry Innocent Isabella Ivan James John Joseph "
    "Julius Leo Leopold Louis Malcolm Margaret Mary Maximilian Mehmed Napoleon Nicholas Olaf Otto Paul Pedro Peter "
    "Philip Pius Ptolemy Ramesses Ramses Richard Robert Rudolf Sigismund Sixtus Stephen Sultan Umberto Urban Victor "
    "Vladimir Wilhelm William Xerxes Emmanuel"
)
COUNTED = listed(
    "Act Appendix Article Ch Fig Book Bowl Chapter Class Division Episode Figure Grade Group Level Mark Part Phase "
    "Scene Section Stage Stake Table Title Type Vol Volume War"
)


def value(numeral: str) -> int:
    """What a Roman numeral up to the nineties counts."""
    amounts = [VALUES[letter] for letter in numeral]
    following = [*amounts[1:], 0]
    return sum(-one if one < next_ else one for one, next_ in zip(amounts, following, strict=True))


def numeral(line: Line, at: int) -> Found | None:
    """Henry VIII, World War II, Rocky III."""
    found = NUMERAL.match(line.plain, at)
    if not found or not found[1] or not WELL_FORMED.fullmatch(found[1]):
        return None
    before = NAME.search(line.plain, max(0, at - 24), at)
    if not before:
        return None
    name, count, end = before[1], str(value(found[1])), found.end()
    if name in RULERS and found[1] not in ("X", "L") and (found[1] != "I" or _alone(line.plain, end)):
        return Found(said_as(f"the {ordinal(count, line.british)}", at, end), end)
    if name.capitalize() in COUNTED or (len(found[1]) > 1 and "L" not in found[1] and not name.isupper()):
        return Found(said_as(cardinal(count, line.british), at, end), end)
    return None


def _alone(text: str, end: int) -> bool:
    """Whether "I" is no pronoun here: after it comes no verb that it may be the subject of."""
    after = re.compile(r"$|[^ \w']|'s| (?:of|and|is|was|were|had|has|ruled|reigned|died|became|to|in)\b")
    return after.match(text, end) is not None


RULES = (numeral,)
