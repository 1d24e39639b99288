"""Marks: punctuation that is heard, and what only shapes the page: bullets, headings, emphasis, tables, tags."""

from __future__ import annotations

import re

from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said

__all__ = ["LINE_START", "bracket", "dash", "face", "link", "newline", "quote", "stop", "table", "tag"]

STOPS = re.compile(r"\.{2,}|(?: \.){3}|…+|([,;:!?])\1*|\.|[()]|—+|-{2,}|–")
DASH = re.compile(r"[-–—]+(?=\s)")
QUOTE = re.compile(r'["“”]')
BRACKET = {"[": "(", "]": ")", "{": "(", "}": ")"}
LINKED = re.compile(r"!?\[(?=[^\[\]\n]{0,300}\]\([^()\s]{0,1000}[./#:])")
TARGET = re.compile(r"\]\([^()\s]{0,1000}[./#:][^()\s]{0,1000}(?: \"[^\"\n]{0,200}\")?\)")
TAG = re.compile(r"</?[A-Za-z][^<>\n]{0,200}>|<!--[^<>\n]{0,500}-->")
ENTITY = re.compile(r"&(amp|lt|gt|nbsp|quot|apos|mdash|ndash|hellip|#\d{1,6});")
ENTITIES = {"amp": "and", "lt": "less than", "gt": "greater than"}
LINE_START = re.compile(
    r"[ \t]*(?:(?:[-*+•‣▪◦·–]|#{1,6}|>+|\[[ xX]?\])[ \t]+)+|[ \t]*(?:[-*_=~][ \t]*){3,}(?=\n|$)|[ \t]*```\w*"
)
BREAK = re.compile(r"[ \t]*\n(?:[ \t]*\n)*")
NEW_BLOCK = re.compile(r"[ \t]*(?:[-*+•‣▪◦·#>|]|```|\d{1,3}[.)] )")
CELLS = re.compile(r"\|(?:[ \t:-]*\|)+")
FACE = re.compile(r"[:;=]-?[)(DPpO/|](?![\w(])|<3(?!\d)|\^_\^")


def link(line: Line, at: int) -> Found | None:
    """Of [words](address) the words are read."""
    found = LINKED.match(line.plain, at) or TARGET.match(line.plain, at)
    return found and Found([Said("", at, found.end(), Kind.SILENT)], found.end())


def face(line: Line, at: int) -> Found | None:
    """:-) and the like are not said."""
    found = FACE.match(line.plain, at)
    if not found or (at and not line.plain[at - 1].isspace()):
        return None
    return Found([Said("", at, found.end(), Kind.SILENT)], found.end())


def dash(line: Line, at: int) -> Found | None:
    """A dash between spaces is a rest."""
    found = DASH.match(line.plain, at)
    if not found or (at and not line.plain[at - 1].isspace() and found[0] == "-"):
        return None
    return Found([Said("—", at, found.end(), Kind.MARK)], found.end())


def stop(line: Line, at: int) -> Found | None:
    """Stops, dashes and parentheses."""
    found = STOPS.match(line.plain, at)
    if not found:
        return None
    mark = found[0]
    if mark == "-" or (mark in "-–" and len(mark) == 1 and not _open(line, at)):
        return None
    heard = "—" if mark[0] in "—–-" else "…" if len(mark) > 1 and mark[0] in ".… " else mark[0]
    return Found([Said(heard, at, found.end(), Kind.MARK)], found.end())


def _open(line: Line, at: int) -> bool:
    """Whether something is said on both sides."""
    return at > 0 and at + 1 < len(line.plain)


def quote(line: Line, at: int) -> Found | None:
    """Quotation marks, by the side they are on."""
    if not QUOTE.match(line.plain, at):
        return None
    mark = line.plain[at]
    if mark == '"':
        opening = at == 0 or line.plain[at - 1].isspace() or line.plain[at - 1] in "([{—–-/"
        mark = "“" if opening else "”"
    return Found([Said(mark, at, at + 1, Kind.MARK)], at + 1)


def bracket(line: Line, at: int) -> Found | None:
    """Other brackets are said as parentheses are."""
    mark = BRACKET.get(line.plain[at])
    return Found([Said(mark, at, at + 1, Kind.MARK)], at + 1) if mark else None


def tag(line: Line, at: int) -> Found | None:
    """HTML's tags are passed over, its entities said."""
    if found := TAG.match(line.plain, at):
        return Found([Said("", at, found.end(), Kind.SILENT)], found.end())
    if found := ENTITY.match(line.plain, at):
        words = ENTITIES.get(found[1], "").split()
        said = [Said(word, at, found.end()) for word in words]
        return Found(said or [Said("", at, found.end(), Kind.SILENT)], found.end())
    return None


def table(line: Line, at: int) -> Found | None:
    """A table's lines are rests between its cells."""
    if line.plain[at] != "|":
        return None
    found = CELLS.match(line.plain, at)
    end = found.end() if found else at + 1
    inside = at > 0 and line.plain[at - 1] not in "\n|" and line.plain[end : end + 1] not in ("", "\n")
    return Found([Said(",", at, end, Kind.MARK)] if inside else [], end)


def newline(line: Line, at: int) -> Found | None:
    """The end of a paragraph, a heading or an item is a full stop, if there is none."""
    found = BREAK.match(line.plain, at)
    if not found:
        return None
    ends = found[0].count("\n") > 1 or NEW_BLOCK.match(line.plain, found.end()) or _is_block(line.plain, at)
    return Found([Said(".", at, found.end(), Kind.MARK)] if ends else [], found.end())


def _is_block(text: str, end: int) -> bool:
    """Whether the line that ends here is a heading or an item."""
    start = text.rfind("\n", max(0, end - 400), end) + 1
    return NEW_BLOCK.match(text, start, end) is not None
