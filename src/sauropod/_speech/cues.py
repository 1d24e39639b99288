"""Subtitles: which words are shown together, on which lines, and for how long."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

import attrs

from sauropod._values.speech import Segment, Transcript, Word

__all__ = ["Cue", "clean", "cues", "milliseconds"]

LINE = 42
"""Characters of a line. With two lines and seven seconds this is what broadcasters and Netflix ask for."""
LONGEST = 7_000
"""Milliseconds that a cue is shown at most."""
SHORTEST = 1_000
"""Milliseconds that a cue is shown at least, where nothing else is to be shown meanwhile."""
PAUSE = 1_500
"""Milliseconds of silence over which words are not shown together."""
END_OF_TIME = 360_000_000
"""A hundred hours. Times beyond, which nobody means, are taken for this."""

SENTENCE = re.compile(r"""[.!?…。！？]["'”’»)\]]*$""")
CLAUSE = re.compile(r"""[,;:—–、，；：]["'”’»)\]]*$""")
UNWRITABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f]")
SURROGATE = re.compile(r"[\ud800-\udfff]")
RUN = re.compile(r"[^\s。！？、，；：]{1,42}[。！？、，；：]*|[。！？、，；：]+")


@attrs.frozen
class Cue:
    """What is shown at one time. Milliseconds; `end` is later than `start`."""

    start: int
    end: int
    lines: Sequence[str]


@attrs.frozen
class _Piece:
    """What is not taken apart: a word, or as much of one as a line holds."""

    text: str
    start: int
    end: int
    spaced: bool
    """Whether a space comes before it."""


def cues(transcript: Transcript) -> list[Cue]:
    """The transcript in cues of at most two lines of 42 characters and seven seconds, none overlapping another.

    They end where a sentence, a clause or at least a word does. Where no words are timed, a segment's time is shared
    out among its characters.
    """
    segments = transcript.segments or (Segment(transcript.text, 0.0, transcript.duration),)
    groups = [group for segment in segments for group in _groups(_pieces(segment))]
    groups.sort(key=lambda group: group[0].start)
    return _placed(groups)


def milliseconds(seconds: float) -> int:
    """Never negative. What is no number counts as 0."""
    if math.isnan(seconds):
        return 0
    return round(min(max(seconds, 0.0), END_OF_TIME / 1000) * 1000)


def clean(text: str) -> str:
    """On one line, and such that it can be written to any file."""
    return SURROGATE.sub("\ufffd", UNWRITABLE.sub("", " ".join(text.split())))


# -- words ------------------------------------------------------------------------------------------------------------


def _pieces(segment: Segment) -> list[_Piece]:
    """In order, none beginning before the one before it."""
    pieces: list[_Piece] = []
    latest = milliseconds(segment.start)
    for piece in _of_words(segment.text, segment.words) if segment.words else _of_segment(segment):
        latest = max(latest, piece.start)
        pieces.append(attrs.evolve(piece, start=latest, end=max(latest, piece.end)))
    return pieces


def _of_segment(segment: Segment) -> Iterator[_Piece]:
    return _shared_out(clean(segment.text), segment.start, segment.end, spaced=True)


def _of_words(text: str, words: Iterable[Word]) -> Iterator[_Piece]:
    """Words are spaced as they are in the text; those that are not found there, or not in order, have a space."""
    text, at = clean(text), 0
    for word in words:
        said = clean(word.text)
        found = text.find(said, at, at + len(said) + LINE)
        spaced = found != at or found < 0
        if found >= 0:
            at = found + len(said)
        yield from _shared_out(said, word.start, word.end, spaced)


def _shared_out(text: str, start: float, end: float, spaced: bool) -> Iterator[_Piece]:
    """The time from `start` to `end`, shared out among the text's pieces by their characters."""
    first, last = milliseconds(start), max(milliseconds(start), milliseconds(end))
    for run in RUN.finditer(text):
        begin, stop = (first + (last - first) * place // len(text) for place in run.span())
        chosen = run[0]
        for at in range(0, len(chosen), LINE):  # a run of nothing but marks may be long, too
            yield _Piece(chosen[at : at + LINE], begin, stop, spaced if run.start() + at == 0 else _spaced(run, at))


def _spaced(run: re.Match[str], at: int) -> bool:
    return at == 0 and run.string[run.start() - 1].isspace()


# -- groups -----------------------------------------------------------------------------------------------------------


def _groups(pieces: Sequence[_Piece]) -> Iterator[Sequence[_Piece]]:
    """What is shown together."""
    at = 0
    while at < len(pieces):
        most, silent = _most(pieces, at)
        taken = pieces[at:most]
        if most < len(pieces) and not silent:
            taken = taken[: _good_end(taken)]
        yield taken
        at += len(taken)


def _most(pieces: Sequence[_Piece], at: int) -> tuple[int, bool]:
    """How far a cue that begins with this piece may go, and whether a pause is what ends it."""
    for end in range(at + 1, len(pieces)):
        if pieces[end].start - pieces[end - 1].end > PAUSE:
            return end, True
        if pieces[end].end - pieces[at].start > LONGEST or not _lines(pieces[at : end + 1]):
            return end, False
    return len(pieces), False


def _good_end(pieces: Sequence[_Piece]) -> int:
    """Where to end a cue that could be as long as this, if its second half has a good place."""
    half = len(_joined(pieces)) / 2
    late = [end for end in range(len(pieces), 0, -1) if len(_joined(pieces[:end])) >= half]
    for mark in (SENTENCE, CLAUSE):
        for end in late:
            if mark.search(pieces[end - 1].text):
                return end
    return len(pieces)


def _lines(pieces: Sequence[_Piece]) -> Sequence[str]:
    """The one line, or the two: after a mark if there is one near the middle, and as equal as can be. Or nothing."""
    whole = _joined(pieces)
    if len(whole) <= LINE:
        return (whole,)
    if len(whole) > 2 * LINE + 1:
        return ()
    splits = [(_joined(pieces[:at]), _joined(pieces[at:])) for at in range(1, len(pieces))]
    fitting = [split for split in splits if max(map(len, split)) <= LINE]
    return min(fitting, key=_unevenness, default=())


def _unevenness(lines: tuple[str, str]) -> int:
    marked = SENTENCE.search(lines[0]) or CLAUSE.search(lines[0])
    return abs(len(lines[0]) - len(lines[1])) - (LINE // 2 if marked else 0)


def _joined(pieces: Sequence[_Piece]) -> str:
    return "".join(" " * piece.spaced + piece.text for piece in pieces).strip()


# -- times ------------------------------------------------------------------------------------------------------------


def _placed(groups: Sequence[Sequence[_Piece]]) -> list[Cue]:
    placed: list[Cue] = []
    for number, group in enumerate(groups):
        start = max(group[0].start, placed[-1].end if placed else 0)
        following = groups[number + 1][0].start if number + 1 < len(groups) else math.inf
        wanted = max(group[-1].end, start + SHORTEST)
        end = max(start + 1, int(min(wanted, start + LONGEST, following)))
        placed.append(Cue(start, end, _lines(group)))
    return placed
