"""Links: addresses of pages, of people, and names of files, read aloud."""

from __future__ import annotations

import re

from sauropod._speech.english.listed import listed
from sauropod._speech.english.normalisation.numerals import groups
from sauropod._speech.english.normalisation.said import Found, Kind, Line, Said, said_as

__all__ = ["RULES"]

ENDINGS = listed(
    "com org net edu gov mil int io ai dev app co uk us de fr eu info me tv ly fm gg xyz tech blog page cloud shop "
    "wiki news ca au nz ie ch at nl be se no es it jp in"
)
LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
URL = re.compile(r"(?:https?://|ftp://|www\.)[^\s<>\"'`|\\^{}\[\]]{1,2000}", re.IGNORECASE)
EMAIL = re.compile(rf"[\w.+-]{{1,64}}@{LABEL}(?:\.{LABEL}){{1,6}}")
HOST = re.compile(r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}(?![\w-])(?:/[^\s<>\"'`|()]{0,500})?")
BEGINNING = re.compile(r"[\w+-]{1,64}(?:[.@]\w|://)")
"""Of whatever this does not fit, nothing else has to be asked."""
PIECE = re.compile(r"[A-Za-z]+|\d+|[^A-Za-z\d]")
NAMES = {".": "dot", "/": "slash", "@": "at", "-": "dash", "_": "underscore", ":": "colon", "?": "question mark"} | {
    "=": "equals",
    "&": "and",
    "#": "hash",
    "%": "percent",
    "+": "plus",
    "~": "tilde",
}
SPELLED = listed("www http https ftp html htm pdf php css js xml uk us io ai tv fm gg xyz de fr eu au nz ie ch")
SCHEME = re.compile(r"(?:https?|ftp)://", re.IGNORECASE)
LOOSE = ".,;:!?)'"
"""At an end these belong to the sentence."""


def link(line: Line, at: int) -> Found | None:
    """https://example.com/page, me@example.org, example.com."""
    if at and (line.plain[at - 1].isalnum() or line.plain[at - 1] in "@_"):
        return None
    if not BEGINNING.match(line.plain, at):
        return None
    found = URL.match(line.plain, at) or EMAIL.match(line.plain, at) or _host(line, at)
    if not found:
        return None
    end = at + len(found[0].rstrip(LOOSE))
    scheme = SCHEME.match(line.plain, at)
    start = scheme.end() if scheme else at
    unsaid = end > start + 1 and line.plain[end - 1] == "/"  # nobody says the last slash
    stop = end - unsaid
    said = [Said("", at, start, Kind.SILENT)] if scheme else []
    for piece in PIECE.finditer(line.plain, start, stop):
        said += _piece(piece[0], *piece.span(), line)
    if stop < end:
        said.append(Said("", stop, end, Kind.SILENT))
    return Found(said, end)


def _host(line: Line, at: int) -> re.Match[str] | None:
    """A name of a computer, told from two sentences without a space between by its ending."""
    found = HOST.match(line.plain, at)
    if not found:
        return None
    name = found[0].partition("/")[0]
    return found if name.rpartition(".")[2] in ENDINGS and not name.replace(".", "").isdecimal() else None


def _piece(piece: str, start: int, end: int, line: Line) -> list[Said]:
    if piece.isdecimal():
        return said_as(groups(piece, line.british), start, end)
    if piece.isalpha() and piece.isascii():
        if piece.lower() in SPELLED:
            return [Said(piece.upper(), start, end, Kind.LETTERS)]
        return [Said(piece, start, end)]
    return said_as(NAMES[piece], start, end) if piece in NAMES else []


RULES = (link,)
