"""A phrase is cut into parts that fit, and nothing of it is lost."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.abc import Pronounced
from sauropod.backends.onnx.joining import PAUSES, Take, join, pause_after
from sauropod.backends.onnx.kokoro_parts import LONGEST, Part, parts, sounds
from sauropod.backends.onnx.kokoro_symbols import BUILT_IN, Symbols

RATE = 24_000
SYMBOLS = Symbols(BUILT_IN)

short = [
    ("hˈæt", True),
    ("ə", False),
    (",", True),
    (".", True),
    ("“", False),
    ("—", False),
    ("ˈ", True),
    ("🦕", True),
    ("", False),
]
phrases = st.lists(st.sampled_from(short), max_size=12)
long_phrases = st.lists(st.sampled_from([*short, ("x" * 90, True), ("x" * 90, False), ("y" * 700, True)]), max_size=40)


def pronounced(words: list[tuple[str, bool]]) -> list[Pronounced]:
    """As of a text in which each stretch takes five characters."""
    return [Pronounced(5 * at, 5 * at + 5, said, space) for at, (said, space) in enumerate(words)]


@given(long_phrases)
def test_parts_fit_and_keep_all_that_is_said_in_order(words: list[tuple[str, bool]]) -> None:
    found = parts(sounds(pronounced(words), SYMBOLS))
    said = [number for part in found for sound in part.sounds for number in sound.symbols]
    everything = [BUILT_IN[symbol] for word, _ in words for symbol in word if symbol in BUILT_IN]
    speaks = any(symbol.isalpha() and symbol not in "ˈ🦕" for word, _ in words for symbol in word)
    assert bool(found) == speaks
    assert all(0 < len(part.symbols(BUILT_IN[" "])[0]) <= LONGEST for part in found)
    if len(found) == 1 or sum(len(word) + 1 for word, _ in words) <= LONGEST:
        assert said == (everything if speaks else [])
    letters = [number for number in everything if number > BUILT_IN[" "] and number != BUILT_IN["ˈ"]]
    assert [number for number in said if number in letters] == letters
    bounds = [place for part in found for sound in part.sounds for place in (sound.start, sound.end)]
    assert bounds == sorted(bounds)


def length(part: Part) -> int:
    return len(part.symbols(BUILT_IN[" "])[0])


def test_a_long_phrase_is_cut_after_a_sentence_else_a_clause_else_a_word() -> None:
    word, comma, stop = ("hˈælO", True), (",", True), (".", True)
    sentence = [*[word] * 30, comma, *[word] * 10, stop]
    ends = [part.mark for part in parts(sounds(pronounced(sentence * 4), SYMBOLS))]
    assert ends == ["."] * len(ends)
    clauses = parts(sounds(pronounced([*[word] * 30, comma] * 8), SYMBOLS))
    assert [part.mark for part in clauses[:-1]] == [","] * (len(clauses) - 1)
    endless = parts(sounds(pronounced([word] * 300), SYMBOLS))
    assert all(length(part) > LONGEST - 10 for part in endless[:-1])


def test_words_stay_apart_where_what_is_between_them_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    symbols = Symbols(BUILT_IN)
    with caplog.at_level(logging.WARNING, "sauropod"):
        found = parts(sounds([Pronounced(0, 1, "a"), Pronounced(1, 2, "🦕", True), Pronounced(3, 4, "b🦕")], symbols))
        sounds([Pronounced(0, 1, "🦕")], symbols)
    assert found[0].symbols(symbols.space)[0] == [BUILT_IN["a"], BUILT_IN[" "], BUILT_IN["b"]]
    assert [record.getMessage() for record in caplog.records] == ["The voice knows no symbol for '🦕': left out."]


def taken(part: Part, frame: int = 600, lead: int = 8) -> Take:
    """A part in which every symbol sounds for a frame, and 8 frames of silence are at either end."""
    numbers, places = part.symbols(BUILT_IN[" "])
    loud = np.array([number > BUILT_IN[" "] for number in numbers], np.float32)
    wave = 0.5 * np.cos(2 * np.pi * 300 * np.arange(len(numbers) * frame) / RATE)
    silence = np.zeros(lead * frame)
    samples = np.concatenate([silence, wave * np.repeat(loud, frame), silence]).astype(np.float32)
    frames = np.concatenate([[0], np.full(len(numbers), frame).cumsum() - frame, [len(numbers) * frame]])
    bounds = np.concatenate([[0], lead * frame + frames[1:], [len(samples)]]).astype(np.int64)
    return Take(part, samples, bounds, [(first + 1, last + 1) for first, last in places])


@given(phrases, st.sampled_from([0.5, 1.0, 2.0]), st.booleans())
def test_marks_cover_what_is_heard_word_by_word(words: list[tuple[str, bool]], speed: float, timed: bool) -> None:
    takes = [taken(part) for part in parts(sounds(pronounced(words), SYMBOLS))]
    if not timed:
        takes = [Take(take.part, take.samples, None, take.places) for take in takes]
    spoken = join(takes, RATE, speed)
    places = [place for mark in spoken.marks for place in (mark.first, mark.last)]
    assert places == sorted(places)
    assert all(0 <= place <= len(spoken.samples) for place in places)
    characters = [place for mark in spoken.marks for place in (mark.start, mark.end)]
    assert characters == sorted(characters)
    covered = np.zeros(len(spoken.samples), bool)
    for mark in spoken.marks:
        covered[mark.first : mark.last] = True
    assert not spoken.samples[~covered].any()
    if not timed:
        assert len(spoken.marks) == len(takes)


def test_a_word_is_marked_where_it_sounds_with_its_punctuation() -> None:
    said = pronounced([("“", False), ("ab", False), (",", True), ("(", False), ("cd", False), (")", False)])
    spoken = join([taken(parts(sounds(said, SYMBOLS))[0])], RATE, 1.0)
    assert [(mark.start, mark.end) for mark in spoken.marks] == [(0, 15), (15, 30)]
    word, bracketed = (mark.last - mark.first for mark in spoken.marks)
    assert 4 * 600 < word <= 4 * 600 + (0.02 + 0.01) * RATE, "two sounds, the comma, the space, and what is before them"
    assert 3 * 600 <= bracketed <= 3 * 600 + 0.01 * RATE


@pytest.mark.parametrize(
    ("mark", "pause"), [(".", 0.25), ("?", 0.25), ("…", 0.25), (",", 0.12), ("—", 0.12), ("", 0.05)]
)
@pytest.mark.parametrize("speed", [0.5, 1.0, 2.0])
def test_silence_is_cut_and_a_pause_of_known_length_put_after_a_phrase(mark: str, pause: float, speed: float) -> None:
    said = pronounced([("abc", False), *([(mark, False)] if mark else [])])
    take = taken(parts(sounds(said, SYMBOLS))[0])
    samples = join([Take(take.part, take.samples, None, take.places)], RATE, speed).samples
    loud = np.flatnonzero(samples)
    assert loud[0] / RATE <= 0.03
    assert (len(samples) - loud[-1]) / RATE == pytest.approx(max(0.04, pause / speed), abs=0.011)
    assert pause_after(mark, speed) == pause / speed
    assert loud[-1] - loud[0] >= 3 * 600 - 3, "a sound was cut off"


def test_what_the_graph_counts_to_a_sound_is_kept_however_soft_it_is() -> None:
    take = taken(parts(sounds(pronounced([("abc", False), (".", False)]), SYMBOLS))[0])
    assert take.bounds is not None
    soft = take.samples.copy()
    soft[take.bounds[3] :] *= 1e-5  # the last of them
    spoken = join([Take(take.part, soft, take.bounds, take.places)], RATE, 1.0)
    assert spoken.marks[-1].last - spoken.marks[0].first >= 3 * 600
    assert len(spoken.samples) / RATE == pytest.approx(0.02 + 0.075 + PAUSES[".!?…"], abs=0.001)


def test_no_join_makes_a_step() -> None:
    part = parts(sounds(pronounced([("abc", True)]), SYMBOLS))[0]
    take = taken(part, lead=0)
    spoken = join([Take(part, take.samples, None, take.places)] * 3, RATE, 1.0)
    inside = np.abs(np.diff(take.samples)).max()
    assert np.abs(np.diff(spoken.samples, prepend=0, append=0)).max() <= inside + 0.5 * np.pi / 2 / 120
