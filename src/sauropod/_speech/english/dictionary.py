"""Dictionary: how English words are said, looked up in a sorted text that is unpacked once.

A dictionary is the zlib-compressed bytes of lines sorted by their word, each

    word=phonemes|TAG:phonemes|...      of the gold list, which people went over
    word=~phonemes                      of the silver list, which was made by a machine

with one byte for each symbol: ASCII ones as they are, the others of `SYMBOLS` from 0x80 on. The first phonemes are
those said where no tag fits; after a tag they may be missing: a word that is spelled then. 180,000 words are unpacked
in 20 ms and take 4 MB; a dict of them would take ten times that. A word is found by bisection, in about 20 µs.

The lists are those of misaki (https://github.com/hexgrad/misaki), which Kokoro was trained with.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

__all__ = ["SYMBOLS", "Dictionary", "Entry", "packed"]

SYMBOLS = "æðŋɑɒɔəɛɜɡɪɹɾʃʊʌʒʔʤʧˈˌːθᵊᵻ"
"""Those beyond ASCII that words of either accent are said with."""

FIRST = 0x80
TO_BYTES = {ord(symbol): FIRST + at for at, symbol in enumerate(SYMBOLS)}
FROM_BYTES = {at: symbol for symbol, at in TO_BYTES.items()}


@attrs.frozen
class Entry:
    """What a dictionary says of a word."""

    phonemes: str
    """Said where no tag fits."""
    tagged: Mapping[str, str]
    """By part of speech, such as VERB, or "None" for the last word before a pause; "" means it is spelled."""
    gold: bool
    """Whether people went over it."""


class Dictionary:
    """The words of one accent."""

    def __init__(self, compressed: bytes) -> None:
        import zlib

        self._lines = zlib.decompress(compressed)

    def __contains__(self, word: str) -> bool:
        return self.find(word) is not None

    def find(self, word: str) -> Entry | None:
        """What is said of exactly this word, or None."""
        if not word.isascii():
            return None
        wanted, lines = word.encode("ascii"), self._lines
        low, high = 0, len(lines)  # each at the beginning of a line, or the end
        while low < high:
            start = lines.rfind(b"\n", low, (low + high) // 2) + 1 or low
            end = lines.find(b"\n", start)
            mark = lines.find(b"=", start, end)
            found = lines[start:mark]
            if found == wanted:
                return _entry(lines[mark + 1 : end])
            if found < wanted:
                low = end + 1
            else:
                high = start
        return None


def _entry(said: bytes) -> Entry:
    silver = said.startswith(b"~")
    default, *others = said[silver:].decode("latin-1").translate(FROM_BYTES).split("|")
    tagged = dict(each.split(":", 1) for each in others)
    return Entry(default, tagged, gold=not silver)


def packed(entries: Iterable[tuple[str, Entry]]) -> bytes:
    """A dictionary of these words, as `Dictionary` takes it. Of a word that occurs twice the first counts."""
    import zlib

    lines: dict[bytes, bytes] = {}
    for word, entry in entries:
        tagged = "".join(f"|{tag}:{phonemes}" for tag, phonemes in entry.tagged.items())
        said = (entry.phonemes + tagged).translate(TO_BYTES).encode("latin-1")
        lines.setdefault(word.encode("ascii"), (b"=" if entry.gold else b"=~") + said)
    return zlib.compress(b"".join(word + lines[word] + b"\n" for word in sorted(lines)), 9)
