"""Parts: what of a phrase fits into Kokoro at once, and which symbols say which characters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from sauropod._values.speech import Pronounced
from sauropod.backends.onnx.kokoro_symbols import Symbols

__all__ = ["LONGEST", "Part", "Sound", "parts", "sounds"]

LONGEST = 510
"""Symbols that the graph takes at once, without the two around them."""
SHORTEST = LONGEST // 3
"""A part is not cut after a sentence or clause that ends before; between words then."""
SENTENCE, CLAUSE = ".!?…", ",;:—"
MARKS = frozenset(SENTENCE + CLAUSE)
CLOSING = '"”’»)'
NO_SOUNDS = "ˈˌː"


@attrs.frozen
class Sound:
    """A stretch of the text and the symbols that say it."""

    start: int
    end: int
    """Characters of the text."""
    symbols: tuple[int, ...]
    space: bool
    spoken: bool
    """Whether there is more than punctuation in it."""
    mark: str = ""
    """The punctuation it ends with: one character of `SENTENCE` or `CLAUSE`, or nothing."""


@attrs.frozen
class Part:
    """Sounds that are computed together."""

    sounds: Sequence[Sound]

    def symbols(self, space: int | None) -> tuple[list[int], list[tuple[int, int]]]:
        """The numbers of all symbols, and for each sound the place of its first one and of the one after its last."""
        numbers: list[int] = []
        places = []
        for sound in self.sounds:
            places.append((len(numbers), len(numbers) + len(sound.symbols)))
            numbers += sound.symbols
            if sound.space and space is not None and sound is not self.sounds[-1]:
                numbers.append(space)
        return numbers, places

    @property
    def mark(self) -> str:
        """The punctuation it ends with."""
        return next((sound.mark for sound in reversed(self.sounds) if sound.mark or sound.spoken), "")


def sounds(said: Sequence[Pronounced], symbols: Symbols) -> list[Sound]:
    """What a phonemizer gave, in numbers; a word that is too long for the graph in pieces."""
    found: list[Sound] = []
    for each in said:
        pieces = list(_pieces(each, symbols))
        if not pieces and each.space and found:  # what is left out still parts its neighbours
            found[-1] = attrs.evolve(found[-1], space=True)
        found += pieces
    return found


def _pieces(said: Pronounced, symbols: Symbols) -> Iterator[Sound]:
    numbers = symbols.encode(said.phonemes)
    spoken = any(each.isalpha() and each not in NO_SOUNDS and each in symbols.numbers for each in said.phonemes)
    last = said.phonemes.rstrip(CLOSING)[-1:]
    count = -(-len(numbers) // LONGEST)
    for at in range(count):
        start, end = (said.start + (said.end - said.start) * place // count for place in (at, at + 1))
        piece = numbers[at * LONGEST : (at + 1) * LONGEST]
        if at < count - 1:
            yield Sound(start, end, piece, space=False, spoken=spoken)
        else:
            yield Sound(start, end, piece, said.space, spoken, last if last in MARKS else "")


def parts(found: Sequence[Sound]) -> list[Part]:
    """All sounds, cut where a pause hurts least into parts that fit. A part without anything to say is left out."""
    result = []
    rest = list(found)
    while rest:
        count = _fitting(rest)
        result.append(Part(rest[:count]))
        rest = rest[count:]
    return [part for part in result if any(sound.spoken for sound in part.sounds)]


def _fitting(rest: Sequence[Sound]) -> int:
    """How many of the sounds make up the next part."""
    lengths = []
    total = 0
    for sound in rest:
        if total + len(sound.symbols) > LONGEST:
            break
        lengths.append(total + len(sound.symbols))
        total += len(sound.symbols) + sound.space
    if len(lengths) == len(rest):
        return len(rest)
    long_enough = [at for at, length in enumerate(lengths, 1) if length >= SHORTEST]
    for marks in (SENTENCE, CLAUSE):
        if fitting := [at for at in long_enough if rest[at - 1].mark and rest[at - 1].mark in marks]:
            return fitting[-1]
    return next((at for at in reversed(long_enough) if rest[at - 1].space), len(lengths))
