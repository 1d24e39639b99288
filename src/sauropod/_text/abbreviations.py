"""Abbreviations: whether a full stop ends a sentence, or belongs to the word before it."""

from __future__ import annotations

import re

__all__ = ["ends_sentence"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES = _words("""
    Dr Mr Mrs Ms Mx Prof St Mt Ft Gen Sen Rep Gov Capt Cpt Sgt Lt Col Maj Cmdr Adm Rev Fr Hon Pres Supt
    dr mr mrs ms prof Mme Mlle MM Hr Hrn Sra Srta Dra Sig Dott Ing
""")
"""Before a name, so that a capital letter after them tells nothing."""
LEADING = _words("""
    e.g i.e cf vs viz approx ca incl excl esp resp
    z.b d.h u.a bzw ggf evtl vgl p.ej pág ej
""")
"""Always followed by what they are about."""
NUMBERED = _words("no nos nr vol fig figs eq eqs ch sec art pp p pg para ver")
"""Followed by a number, or else words that may well end a sentence."""
ENDING = _words("""
    etc al inc ltd co corp bros jr sr dept est min max tel ext ave blvd rd a.m p.m usw
    jan feb mar apr jun jul aug sep sept oct nov dec
""")
"""They end a sentence if a capital letter comes after them."""

INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
ITEM = re.compile(r"(?:^|\n)\s*\d{1,2}$")
OPENING = "\"'“‘«([{*_¿¡"


def ends_sentence(before: str, stop: str, mark: str, following: str) -> bool:
    """Whether `before` ends with the mark.

    `stop` is the mark without what it closes, such as a quotation, and `following` the first character after it and
    after the space; empty where nothing follows.
    """
    if not following:
        return True
    closing = len(mark) > len(stop)
    if stop == "." and _belongs(before, following, closing):
        return False
    if stop.endswith(("…", "..")):
        return not following.islower()
    return not (closing and following.islower())


def _belongs(before: str, following: str, closing: bool) -> bool:
    """Whether a full stop is part of the word before it."""
    if ITEM.search(before):
        return True
    words = before.rsplit(maxsplit=1)
    word = words[-1].lstrip(OPENING) if words else ""
    small = word.lower()
    if small in NUMBERED:
        return following.isdigit()
    if small in ENDING:
        return closing or not following.isupper()
    return word in TITLES or small in LEADING or (word != "I" and INITIALS.fullmatch(word) is not None)
