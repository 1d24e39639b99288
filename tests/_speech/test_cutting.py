"""Clips of a long recording: in order, apart, none too long, and all that is said is in one."""

from __future__ import annotations

from itertools import pairwise

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._speech.cutting import CutSettings, Cutter, Stretch, cut
from sauropod._speech.endpointer import Endpointer, SpeechEnded
from sauropod.errors import UnsupportedInput

FRAME, RATE = 320, 16_000
SECOND = RATE // FRAME

chosen = st.builds(
    CutSettings, max_seconds=st.sampled_from([1.0, 2.5, 6.0, 30.0]), join_seconds=st.sampled_from([0.0, 0.4, 1.0, 5.0])
)
runs = st.lists(st.tuples(st.sampled_from([0.0, 0.2, 0.7, 0.9, 1.0]), st.integers(1, 120)), max_size=12)
streams = runs.map(lambda parts: [value for value, count in parts for _ in range(count)])


def spoken(settings: CutSettings, stream: list[float]) -> list[tuple[int, int]]:
    """The utterances that an endpointer alone finds."""
    endpointer = Endpointer(settings.endpoints, FRAME, RATE)
    events = [*endpointer.feed(stream), *endpointer.finish()]
    return [(event.start, event.end) for event in events if isinstance(event, SpeechEnded)]


@given(chosen, streams)
@settings(max_examples=60, deadline=None)
def test_clips_are_in_order_and_apart_and_none_is_too_long_and_they_hold_all_speech(
    settings: CutSettings, stream: list[float]
) -> None:
    clips = cut(stream, FRAME, RATE, settings=settings)
    edges = [0, *(edge for clip in clips for edge in (clip.start, clip.end)), len(stream) * FRAME]
    assert edges == sorted(edges)
    assert all(0 < clip.end - clip.start <= settings.max_seconds * RATE for clip in clips)
    inside = np.zeros(len(stream) * FRAME, np.bool_)
    for clip in clips:
        inside[clip.start : clip.end] = True
    for start, end in spoken(settings, stream):
        first = next(clip.start for clip in clips if clip.end > start)
        assert first <= start
        at = np.flatnonzero(~inside[start:end])
        assert not len(at)


@given(chosen, streams, st.lists(st.integers(0, 900), max_size=6))
@settings(max_examples=40, deadline=None)
def test_how_the_recording_is_divided_makes_no_difference(
    settings: CutSettings, stream: list[float], places: list[int]
) -> None:
    levels = [round(abs(hash((at, value))) % 100 / 10, 1) for at, value in enumerate(stream)]
    cutter = Cutter(settings, FRAME, RATE)
    cuts = sorted({min(place, len(stream)) for place in places} | {0, len(stream)})
    found = [clip for a, b in pairwise(cuts) for clip in cutter.feed(stream[a:b], levels[a:b])]
    assert [*found, *cutter.finish()] == cut(stream, FRAME, RATE, levels=levels, settings=settings)


@given(chosen, streams)
@settings(max_examples=40, deadline=None)
def test_neighbours_that_would_fit_into_one_clip_are_in_one(settings: CutSettings, stream: list[float]) -> None:
    for one, other in pairwise(cut(stream, FRAME, RATE, settings=settings)):
        near = other.start - one.end <= settings.join_seconds * RATE
        first = min((end for start, end in spoken(settings, stream) if end > other.start), default=other.end)
        assert not near or min(first, other.end) - one.start > settings.max_seconds * RATE


def test_utterances_that_follow_closely_share_a_clip_until_it_is_full() -> None:
    stream = ([0.0] * SECOND + [0.9] * 4 * SECOND) * 10
    clips = cut(stream, FRAME, RATE, settings=CutSettings(max_seconds=20, join_seconds=2))
    assert [round((clip.end - clip.start) / RATE, 1) for clip in clips] == [19.4, 19.4, 9.2]
    apart = cut(stream, FRAME, RATE, settings=CutSettings(max_seconds=20, join_seconds=0.5))
    assert len(apart) == 10


def test_an_utterance_that_is_too_long_is_cut_at_the_silence_that_is_deepest() -> None:
    stream = [0.95] * 60 * SECOND
    stream[20 * SECOND : 20 * SECOND + 6] = [0.6] * 6
    stream[25 * SECOND : 25 * SECOND + 6] = [0.4] * 6
    clips = cut(stream, FRAME, RATE)
    assert clips[0].end == clips[1].start
    assert abs(clips[0].end - 25 * RATE) <= 6 * FRAME


def test_where_all_is_speech_alike_the_quietest_place_is_cut() -> None:
    stream, levels = [0.97] * 40 * SECOND, [1.0] * 40 * SECOND
    levels[22 * SECOND : 22 * SECOND + 4] = [0.1] * 4
    assert cut(stream, FRAME, RATE, levels=levels)[0].end == 22 * RATE + 2 * FRAME
    assert cut(stream, FRAME, RATE)[0] == Stretch(0, 30 * RATE - FRAME)  # nothing tells places apart: the last will do


def test_ten_hours_take_the_memory_of_a_clip() -> None:
    cutter = Cutter(CutSettings(max_seconds=5), FRAME, RATE)
    clips, most = 0, 0
    for _ in range(60):
        clips += len(cutter.feed([0.9] * 40 * SECOND + [0.0] * SECOND))
        most = max(most, len(cutter._frames))
    assert clips >= 60 * 8
    assert most <= 2 * 6 * SECOND


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UnsupportedInput, match="max_seconds"):
        CutSettings(max_seconds=0)
    with pytest.raises(UnsupportedInput, match="3 levels for 2"):
        Cutter(CutSettings(), FRAME, RATE).feed([0.5, 0.5], [1, 2, 3])


def test_a_limit_on_utterances_is_none_on_clips() -> None:
    endpoints = attrs.evolve(CutSettings().endpoints, max_seconds=1.0)
    stream = [0.9] * 10 * SECOND
    assert cut(stream, FRAME, RATE, settings=CutSettings(endpoints=endpoints)) == [Stretch(0, 10 * RATE)]
