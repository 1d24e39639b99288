"""The end of an Ogg file."""

from __future__ import annotations

from sauropod._audio.encoded import EncodedFile

__all__ = ["has_end"]

LONGEST_PAGE = 65_307
LAST = 4
"""The flag of a stream's last page (RFC 3533, section 6)."""


def has_end(file: EncodedFile) -> bool:
    """Whether the last page says that it is the last. Nothing else in a file tells that it was not cut short."""
    begin = max(file.size - LONGEST_PAGE, 0)
    tail = file.read_at(begin, LONGEST_PAGE)
    page = tail.rfind(b"OggS\0")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & LAST)
