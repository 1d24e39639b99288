"""Reading: a text from its first character to its last, each stretch by the first rule that knows it."""

from __future__ import annotations

import unicodedata

from sauropod._speech.english.listed import listed
from sauropod._speech.english.normalisation import (
    abbreviations,
    clock,
    dates,
    links,
    marks,
    mixed,
    money,
    numbers,
    phones,
    roman,
    symbols,
    units,
    words,
)
from sauropod._speech.english.normalisation.folding import Folded, fold
from sauropod._speech.english.normalisation.said import Kind, Line, Rule, Said

__all__ = ["normalised"]

ACCENTED = listed("exposé résumé rosé")
"""Words that are others without their accents."""
LONGEST_ACCENTED = 12

LETTERS: tuple[Rule, ...] = (
    words.simple,
    *links.RULES,
    *money.FROM_LETTERS,
    *dates.FROM_LETTERS,
    *abbreviations.RULES,
    *roman.RULES,
    *mixed.RULES,
    *words.FROM_LETTERS,
)
DIGITS: tuple[Rule, ...] = (
    *links.RULES,
    *dates.FROM_DIGITS,
    *clock.RULES,
    *phones.RULES,
    *money.FROM_DIGITS,
    numbers.decades,
    numbers.plurals,
    *units.RULES,
    *numbers.RULES[:-1],
    *mixed.RULES,
    numbers.plain,
)
BY_FIRST: dict[str, tuple[Rule, ...]] = {
    "-": (numbers.minus, numbers.between, symbols.arithmetic, marks.dash, marks.stop),
    "–": (numbers.between, marks.dash, marks.stop),
    "—": (marks.dash, marks.stop),
    "…": (marks.stop,),
    ".": (numbers.point, symbols.dot, marks.stop),
    **dict.fromkeys(",!?)", (marks.stop,)),
    **dict.fromkeys(":;", (marks.face, marks.stop)),
    "(": (*phones.RULES, marks.stop),
    **dict.fromkeys("[!", (marks.link, marks.bracket, marks.stop)),
    "]": (marks.link, marks.bracket),
    **dict.fromkeys("{}", (marks.bracket,)),
    **dict.fromkeys('"“”', (marks.quote,)),
    "'": (numbers.decades, *words.FROM_APOSTROPHE),
    "+": (*phones.RULES, symbols.named),
    "&": (marks.tag, symbols.named),
    "<": (marks.face, marks.tag, symbols.arithmetic),
    ">": (symbols.arithmetic,),
    "^": (marks.face, symbols.arithmetic),
    "~": (symbols.arithmetic,),
    "*": (symbols.arithmetic,),
    "#": (symbols.numbered,),
    "/": (symbols.slash,),
    "|": (marks.table,),
    "=": (marks.face, symbols.named),
    "№": (abbreviations.numbered, symbols.named),
    **dict.fromkeys(money.SYMBOLS, (*money.FROM_SYMBOL, symbols.named)),
    **dict.fromkeys("½¼¾⅓⅔⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚", (numbers.fractions,)),
}
"""For characters that are neither letters nor digits."""
OTHERS: tuple[Rule, ...] = (symbols.named, words.foreign)


def normalised(text: str, *, british: bool) -> list[Said]:
    """The words and marks of a text in their order; none stands over another, several may share one stretch."""
    folded = fold(text)
    line = Line(folded.plain, british)
    said: list[Said] = []
    at = _line_start(line, 0, said)
    while at < len(line.plain):
        character = line.plain[at]
        if character == "\n":
            end = _newline(line, at, said)
        elif character.isspace():
            end = at + 1
        else:
            end = _read(line, at, said)
        at = end
    return said if text.isascii() else [_unfolded(each, folded, text) for each in said]


def _unfolded(said: Said, folded: Folded, text: str) -> Said:
    """Where it is in the text as given, with its accents if they change more than its looks."""
    start, end = folded.place(said.start), folded.place(said.end)
    written = unicodedata.normalize("NFC", text[start:end]) if end - start < LONGEST_ACCENTED else ""
    return Said(written if written.lower() in ACCENTED else said.text, start, end, said.kind, said.tone)


def _read(line: Line, at: int, said: list[Said]) -> int:
    """What begins here; a character that no rule knows is passed over."""
    character = line.plain[at]
    for rule in _rules(character):
        found = rule(line, at)
        if found is not None:
            for each in found.said:
                if each.kind is not Kind.MARK or _heard(each, said):
                    said.append(each)
            return found.end
    return at + 1


def _rules(character: str) -> tuple[Rule, ...]:
    if character.isascii():
        if character.isalpha():
            return LETTERS
        if character.isdigit():
            return DIGITS
    return BY_FIRST.get(character, OTHERS)


def _heard(mark: Said, said: list[Said]) -> bool:
    """Whether a mark adds something: no rest comes first, or right after another but for quotations' sake."""
    if mark.text in "“”()":
        return True
    if not said:
        return False
    return not (said[-1].kind is Kind.MARK and said[-1].text == mark.text)


def _newline(line: Line, at: int, said: list[Said]) -> int:
    """The end of a line, and what the next one begins with."""
    found = marks.newline(line, at)
    assert found is not None
    spoken = next((each for each in reversed(said) if each.kind is not Kind.SILENT), None)
    if found.said and spoken is not None and (spoken.kind is not Kind.MARK or spoken.text not in ".,;:!?—…"):
        said += found.said
    return _line_start(line, found.end, said)


def _line_start(line: Line, at: int, said: list[Said]) -> int:
    """Past what marks an item, a heading or a quotation."""
    found = marks.LINE_START.match(line.plain, at)
    return found.end() if found else at
