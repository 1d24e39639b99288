"""Joining: what was computed part by part as one piece of sound.

Kokoro begins late and ends with a long silence, and how long says little. So each part is cut to what is heard, with a
little around it, and what comes after it is a pause of a known length. Nothing that the graph itself counts to a sound
is ever cut off.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs
import numpy as np
from numpy.typing import NDArray

from sauropod._speech.fades import faded, loud_span
from sauropod._values.speech import Mark, Spoken
from sauropod.backends.onnx.kokoro_parts import CLAUSE, SENTENCE, Part

__all__ = ["Take", "join", "pause_after"]

LEAD, TAIL = 0.02, 0.04
"""Seconds before and after what is heard that are kept as the model made them."""
FADE = 0.005
"""Seconds."""
PAUSES = {SENTENCE: 0.25, CLAUSE: 0.12}
"""Seconds of silence after what ends with one of these, at speed 1."""
SHORTEST_PAUSE = 0.05


@attrs.frozen(eq=False)
class Take:
    """A part as it was computed."""

    part: Part
    samples: NDArray[np.float32]
    bounds: NDArray[np.int64] | None
    """int64 [n + 1]: the sample with which each symbol begins, and the one after the last; None if nobody knows."""
    places: Sequence[tuple[int, int]]
    """For each of the part's sounds its first symbol, and the one after its last."""


def pause_after(mark: str, speed: float) -> float:
    """Seconds."""
    return next((pause for marks, pause in PAUSES.items() if mark and mark in marks), SHORTEST_PAUSE) / speed


def join(takes: Sequence[Take], rate: int, speed: float) -> Spoken:
    """All parts, each with its pause, and which samples say which characters."""
    pieces: list[NDArray[np.float32]] = []
    marks: list[Mark] = []
    at = 0
    for take in takes:
        begin, heard, end = _kept(take, rate)
        fade = round(FADE * rate)
        piece = faded(take.samples[begin:end], begin=fade, end=fade)
        pause = max(0, round(pause_after(take.part.mark, speed) * rate) - (end - heard))
        marks += _marks(take, begin, heard, at)
        pieces += [piece, np.zeros(pause, np.float32)]
        at += len(piece) + pause
    return Spoken(np.concatenate(pieces) if pieces else np.zeros(0, np.float32), tuple(marks))


def _kept(take: Take, rate: int) -> tuple[int, int, int]:
    """The first sample that is kept, the one where nothing is heard any more, and the one after the last kept."""
    first, last = loud_span(take.samples, rate)
    if take.bounds is not None:
        spoken = [place for place, sound in zip(take.places, take.part.sounds, strict=True) if sound.spoken]
        first = min(first, int(take.bounds[spoken[0][0]])) if last else int(take.bounds[spoken[0][0]])
        last = max(last, int(take.bounds[spoken[-1][1]]))
    length = len(take.samples)
    return max(0, first - round(LEAD * rate)), min(length, last), min(length, last + round(TAIL * rate))


def _marks(take: Take, begin: int, heard: int, at: int) -> list[Mark]:
    """A mark for each word, from where it begins to where the next does: punctuation belongs to the word before it."""
    words = _words(take.part)
    if take.bounds is None:
        words = [(words[0][0], words[-1][1])]
        firsts = [begin]
    else:
        firsts = [int(take.bounds[take.places[first][0]]) for first, _ in words]
        firsts[0] = min(begin, firsts[0])
    edges = [at + min(max(each, begin), heard) - begin for each in [*firsts, heard]]
    sounds = take.part.sounds
    return [
        Mark(sounds[first].start, sounds[last - 1].end, edges[place], edges[place + 1])
        for place, (first, last) in enumerate(words)
    ]


def _words(part: Part) -> list[tuple[int, int]]:
    """The sounds of each word: from, and up to. Punctuation belongs to the word that it is next to, or before it."""
    sounds = part.sounds
    begins = []
    for at, sound in enumerate(sounds):
        if sound.spoken:
            first = at
            while first and not (sounds[first - 1].spoken or sounds[first - 1].space):
                first -= 1
            begins.append(first if first and sounds[first - 1].space else at)
    begins[0] = 0
    return list(zip(begins, [*begins[1:], len(sounds)], strict=True))
