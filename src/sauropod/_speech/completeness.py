"""Whether somebody has finished, from the words alone. Pure.

A rule for English, for where no model of turns is at hand: who ends with "and" or "the" goes on. It is asked at a
pause, and whoever trusts it too much interrupts, so it only says yes where nothing is left hanging.
"""

from __future__ import annotations

import re

__all__ = ["sounds_complete"]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HANGING = _words(
    """
    a an the and or but so because since although though while if unless until when whenever where which who
    whose that than as like of to in on at by for with without from into about between over under after
    before during my your his her its our their this these those some any every each no another i you he she
    it we they i'm you're he's she's we're they're i've i'd i'll am is are was were be been being do does did
    have has had can could will would shall should may might must not very really just also even more most
    less um uh uhm er erm hmm well
    """
)
"""Words after which something has to come."""
_ANSWERS = frozenset({"i do", "i am", "i will", "i have", "i did", "it is", "yes it is", "no more", "not really"})
_WORD = re.compile(r"[\w']+")


def sounds_complete(text: str) -> bool:
    """Whether nothing more has to come after this."""
    stripped = text.strip()
    words = [word.lower() for word in _WORD.findall(stripped.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))]
    if not words or stripped.endswith(
        (",", ";", ":", "-", "\N{EN DASH}", "\N{EM DASH}", "...", "\N{HORIZONTAL ELLIPSIS}")
    ):
        return False
    return " ".join(words) in _ANSWERS or stripped.endswith("?") or words[-1] not in _HANGING
