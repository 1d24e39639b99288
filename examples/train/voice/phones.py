"""Phones: flite's segments as misaki's symbols, each with the time it takes.

A grapheme-to-phoneme step writes the same word now so, now otherwise; the variants here are drawn at random, so that
the voice knows them all. The pauses are the punctuation's, and marks of stress take no time.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .symbols import NULLS, PAUSES, PRIMARY, QUOTES, SECONDARY

FRAME = 0.005
"""Seconds a frame lasts."""

EDGE = 10
"""Frames of silence at each end, which are the pad's."""

LONGEST_PAUSE = 60
"""Frames kept of a pause."""

CONSONANTS = {
    "b": "b", "ch": "ʧ", "d": "d", "dh": "ð", "f": "f", "g": "ɡ", "hh": "h", "jh": "ʤ", "k": "k", "l": "l", "m": "m",
    "n": "n", "ng": "ŋ", "p": "p", "r": "ɹ", "s": "s", "sh": "ʃ", "t": "t", "th": "θ", "v": "v", "w": "w", "y": "j",
    "z": "z", "zh": "ʒ",
}  # fmt: skip
VOWELS = {
    "aa": "ɑ", "ae": "æ", "ah": "ʌ", "ao": "ɔ", "aw": "W", "ax": "ə", "ay": "I", "eh": "ɛ", "er": "ɜɹ", "ey": "A",
    "ih": "ɪ", "iy": "i", "ow": "O", "oy": "Y", "uh": "ʊ", "uw": "u",
}  # fmt: skip
REDUCED = ("ax", "er", "ih")
FUNCTION = frozenset((
    "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "as", "and", "or", "but", "if",
    "than", "that", "this", "these", "those", "it", "its", "he", "she", "we", "you", "they", "me", "him", "her", "us",
    "them", "my", "your", "his", "our", "their", "i", "is", "am", "are", "was", "were", "be", "been", "do", "does",
    "did", "has", "have", "had", "can", "could", "will", "would", "shall", "should", "may", "might", "must", "so",
    "not", "there",
))  # fmt: skip
BRITISH = {"ow": "Q", "er": "ɜː", "aa": "ɒ", "iy": "iː", "uw": "uː", "ao": "ɔː"}


@dataclass(frozen=True)
class Segment:
    """One of flite's segments. `end` counts frames; `word` is empty in a pause."""

    phone: str
    end: int
    stressed: bool = False
    word: str = ""
    starts: bool = False
    opening: str = ""
    closing: str = ""


@dataclass(frozen=True)
class Token:
    """A symbol and the frames it takes."""

    symbol: str
    frames: int


@dataclass(frozen=True)
class Habits:
    """How one utterance is written: drawn once for each."""

    british: bool
    marked: bool

    @classmethod
    def draw(cls, rng: random.Random) -> Habits:
        """Mostly American, mostly without marks that mean nothing here."""
        return cls(rng.random() < 0.06, rng.random() < 0.05)


@dataclass(frozen=True)
class Timed:
    """A segment, its length in frames, and its neighbours' phones (`pau` beyond the ends)."""

    segment: Segment
    frames: int
    before: str
    after: Segment


def tokens(segments: Sequence[Segment], rng: random.Random) -> list[Token]:
    """The symbols of an utterance whose pauses are as flite made them, the ones at its ends left out.

    Their frames are those between the first pause and the last.
    """
    habits = Habits.draw(rng)
    out: list[Token] = []
    for word in _words(_timed(segments)):
        out += _word(word, habits, rng) if word[0].segment.word else _pause(out, word[0].frames)
    while out and out[0].symbol == " ":
        out.pop(0)
    return list(_marked(out, rng)) if habits.marked else out


def _timed(segments: Sequence[Segment]) -> Iterator[Timed]:
    """The segments between the pauses at both ends."""
    nothing = Segment("pau", 0)
    for place in range(1, len(segments) - 1):
        before, segment = segments[place - 1], segments[place]
        after = segments[place + 1] if place + 1 < len(segments) else nothing
        yield Timed(segment, segment.end - before.end, before.phone, after)


def _words(timed: Iterable[Timed]) -> Iterator[list[Timed]]:
    """The segments word by word; a pause is a word of its own."""
    word: list[Timed] = []
    for each in timed:
        if word and (each.segment.starts or not each.segment.word or not word[0].segment.word):
            yield word
            word = []
        word.append(each)
    if word:
        yield word


def _pause(said: list[Token], frames: int) -> list[Token]:
    """Gives a pause to the punctuation before it, or to a space where there is none."""
    for place in range(len(said) - 1, -1, -1):
        if said[place].symbol in PAUSES or (said[place].symbol in QUOTES and said[place - 1].symbol not in PAUSES):
            said[place] = Token(said[place].symbol, said[place].frames + frames)
            return []
        if said[place].symbol not in QUOTES:
            break
    return [Token(" ", frames)]


def _word(word: Sequence[Timed], habits: Habits, rng: random.Random) -> Iterator[Token]:
    """A word: the space before it, its marks, its sounds."""
    yield Token(" ", 0)
    yield from (Token(mark, 0) for mark in _known(word[0].segment.opening))
    stresses = _stresses(word, rng)
    for place, each in enumerate(word):
        yield from (Token(mark, 0) for mark in stresses.get(place, ""))
        yield from _split(_symbol(each, habits, rng), each.frames)
    yield from (Token(mark, 0) for mark in _known(word[-1].segment.closing))


def _known(marks: str) -> str:
    """Punctuation that the alphabet has."""
    return "".join(mark for mark in marks.replace("''", '"').replace("``", '"') if mark in PAUSES + QUOTES)


def _stresses(word: Sequence[Timed], rng: random.Random) -> dict[int, str]:
    """The marks of stress before the vowels of a word, by their places in it."""
    vowels = [place for place, each in enumerate(word) if each.segment.phone in VOWELS]
    stressed = [place for place in vowels if word[place].segment.stressed]
    if len(vowels) == 1 and word[0].segment.word.lower() in FUNCTION:
        return {vowels[0]: rng.choices(("", SECONDARY, PRIMARY), (7, 2, 1))[0]}
    marks = dict.fromkeys(stressed, SECONDARY)
    if stressed:
        marks[rng.choice(stressed)] = PRIMARY
    for place in vowels:
        if place not in marks and word[place].segment.phone not in REDUCED and rng.random() < 0.25:
            marks[place] = SECONDARY
    return marks


def _syllabic(each: Timed, rng: random.Random) -> bool:
    """Whether this schwa and the `l` or `n` after it are written `ᵊl`, `ᵊn`."""
    chance = {"l": 0.6, "n": 0.4}.get(each.after.phone, 0.0)
    within = not each.after.starts and each.before in CONSONANTS and not each.segment.starts
    return each.segment.phone == "ax" and within and rng.random() < chance


def _symbol(each: Timed, habits: Habits, rng: random.Random) -> str:
    """How a segment is written."""
    phone = each.segment.phone
    if phone in CONSONANTS:
        return _flap(each, rng) if phone == "t" else CONSONANTS[phone]
    if habits.british and phone in BRITISH and each.after.phone != "r":
        return BRITISH[phone]
    if _syllabic(each, rng):
        return "ᵊ"
    if phone == "ax" and each.segment.word.lower() == "a":
        return rng.choices("ɐə", (4, 1))[0]
    if phone == "er" and not each.segment.stressed:
        return rng.choices(("əɹ", "ɚ", "ɜɹ"), (8, 1, 1))[0]
    if phone in ("ax", "ih") and not each.segment.stressed and rng.random() < 0.15:
        return "ᵻ"
    return VOWELS[phone]


def _flap(each: Timed, rng: random.Random) -> str:
    """A `t`: flapped between vowels, before a vowel without stress; now and then a glottal stop before `n`."""
    after = each.after
    flapped = not each.segment.starts and not after.starts and each.before in (*VOWELS, "r") and not after.stressed
    if flapped and after.phone == "ax" and rng.random() < 0.1:
        return "ʔ"
    return rng.choices("ɾt", (9, 1))[0] if flapped and after.phone in VOWELS else "t"


def _split(symbols: str, frames: int) -> Iterator[Token]:
    """Shares the frames among symbols of one segment; a mark of length takes none."""
    sounding = sum(symbol not in NULLS for symbol in symbols)
    for symbol in symbols:
        if symbol in NULLS:
            yield Token(symbol, 0)
            continue
        share = frames // sounding
        yield Token(symbol, share)
        frames, sounding = frames - share, sounding - 1


def _marked(said: Iterable[Token], rng: random.Random) -> Iterator[Token]:
    """Puts marks that mean nothing here after some of the sounds."""
    for token in said:
        yield token
        if token.symbol.isalpha() and rng.random() < 0.1:
            yield Token(rng.choice(NULLS), 0)
