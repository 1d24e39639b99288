"""How much of a text was heard when its sound stops somewhere. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sauropod._values.speech import Mark

__all__ = ["heard_text"]

_WORD = re.compile(r"\S+")


def heard_text(text: str, marks: Sequence[Mark], samples: int) -> str:
    """The text up to the last word of which all was heard in so many samples.

    Within a mark that covers several words, time is shared out among them by their letters.
    """
    end = 0
    for mark in marks:
        if mark.last <= samples:
            end = max(end, mark.end)
        elif mark.first < samples:
            end = max(end, _within(text, mark, samples))
    return text[:end].rstrip()


def _within(text: str, mark: Mark, samples: int) -> int:
    """Where the last word ends that was heard whole, of those that the mark covers."""
    share = (samples - mark.first) / (mark.last - mark.first)
    reached = mark.start + share * (mark.end - mark.start)
    ends = [mark.start + word.end() for word in _WORD.finditer(text[mark.start : mark.end])]
    return max((end for end in ends if end <= reached), default=0)
