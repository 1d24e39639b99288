"""Utterances are in order, apart from each other, and the same however the stream was divided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod._speech.endpointer import (
    TABLE,
    Endpointer,
    EndpointEvent,
    EndpointSettings,
    Sign,
    SpeechEnded,
    SpeechPaused,
    SpeechResumed,
    SpeechStarted,
    State,
)
from sauropod.errors import UnsupportedInput

FRAME, RATE = 320, 16_000

NEXT: dict[type[EndpointEvent] | None, set[type[EndpointEvent]]] = {
    None: {SpeechStarted},
    SpeechStarted: {SpeechPaused, SpeechEnded},
    SpeechPaused: {SpeechResumed, SpeechEnded},
    SpeechResumed: {SpeechPaused, SpeechEnded},
    SpeechEnded: {SpeechStarted},
}
"""Which event may follow which."""

seconds = st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8])
chosen = st.builds(
    EndpointSettings,
    threshold=st.sampled_from([0.3, 0.5, 0.9]),
    prefix_seconds=seconds,
    tail_seconds=seconds,
    pause_seconds=seconds,
    silence_seconds=seconds,
    min_speech_seconds=seconds,
    max_seconds=st.sampled_from([None, None, 1.0, 1.7, 4.0]),
)
runs = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.4, 0.45, 0.6, 1.0]), st.integers(1, 60)), max_size=14)
streams = st.one_of(runs.map(lambda parts: [value for value, count in parts for _ in range(count)]))


def heard(settings: EndpointSettings, stream: Sequence[float], start: int = 0) -> list[EndpointEvent]:
    endpointer = Endpointer(settings, FRAME, RATE, start)
    return [*endpointer.feed(stream), *endpointer.finish()]


def utterances(events: Iterable[EndpointEvent]) -> list[tuple[int, int]]:
    return [(event.start, event.end) for event in events if isinstance(event, SpeechEnded)]


def frames(seconds: float) -> int:
    return round(seconds * RATE / FRAME)


# -- whatever the stream -----------------------------------------------------------------------------------------------


@given(chosen, streams, st.lists(st.integers(0, 400), max_size=8))
@settings(max_examples=80, deadline=None)
def test_how_the_stream_is_divided_makes_no_difference(
    settings: EndpointSettings, stream: list[float], places: list[int]
) -> None:
    endpointer = Endpointer(settings, FRAME, RATE)
    cuts = sorted({min(place, len(stream)) for place in places} | {0, len(stream)})
    events = [event for first, last in pairwise(cuts) for event in endpointer.feed(stream[first:last])]
    assert [*events, *endpointer.finish()] == heard(settings, stream)


@given(chosen, streams, st.integers(0, 10**9))
@settings(max_examples=120, deadline=None)
def test_events_follow_each_other_as_they_may_and_utterances_lie_apart_in_the_stream(
    settings: EndpointSettings, stream: list[float], start: int
) -> None:
    events = heard(settings, stream, start)
    for before, event in pairwise([None, *events]):
        assert type(event) in NEXT[None if before is None else type(before)]
    assert not events or isinstance(events[-1], SpeechEnded)
    begins = [event.start for event in events if isinstance(event, SpeechStarted)]
    found = utterances(events)
    assert [begin for begin, _ in found] == begins
    edges = [start, *(edge for utterance in found for edge in utterance), start + len(stream) * FRAME]
    assert edges == sorted(edges)
    assert all(begin < end for begin, end in found)
    if settings.max_seconds:
        assert all(end - begin <= settings.max_seconds * RATE for begin, end in found)


@given(chosen, streams)
@settings(max_examples=80, deadline=None)
def test_what_is_said_between_start_and_end_lies_between_them(settings: EndpointSettings, stream: list[float]) -> None:
    open_at = 0
    for event in heard(settings, stream):
        if isinstance(event, SpeechStarted):
            open_at = event.start
        elif isinstance(event, SpeechResumed):
            assert event.start > open_at
        else:
            assert event.start == open_at < event.end


@given(chosen, streams)
@settings(max_examples=80, deadline=None)
def test_all_speech_that_lasts_is_in_an_utterance(settings: EndpointSettings, stream: list[float]) -> None:
    settings = attrs.evolve(settings, max_seconds=None)
    found = utterances(heard(settings, stream))
    run = 0
    for at, value in enumerate(stream):
        run = run + 1 if value >= (settings.release if run else settings.threshold) else 0
        if run and run >= settings.min_speech_seconds * RATE / FRAME:
            assert any(begin <= (at + 1 - run) * FRAME and (at + 1) * FRAME <= end for begin, end in found)


@given(chosen, streams)
@settings(max_examples=60, deadline=None)
def test_what_never_lasts_starts_nothing(settings: EndpointSettings, stream: list[float]) -> None:
    least = max(1, -(-round(settings.min_speech_seconds * RATE) // FRAME))
    blips = [value if at % least else 0.0 for at, value in enumerate(stream)]
    assert heard(settings, blips) == []


# -- one thing after the other -----------------------------------------------------------------------------------------


def test_an_utterance_with_a_pause_in_it() -> None:
    stream = [0.0] * 50 + [0.9] * 40 + [0.0] * 15 + [0.9] * 20 + [0.0] * 60
    assert heard(EndpointSettings(), stream) == [
        SpeechStarted(50 * FRAME - 4800),
        SpeechPaused(50 * FRAME - 4800, 90 * FRAME + 1600),
        SpeechResumed(105 * FRAME),
        SpeechPaused(50 * FRAME - 4800, 125 * FRAME + 1600),
        SpeechEnded(50 * FRAME - 4800, 125 * FRAME + 1600),
    ]


def test_each_event_comes_with_the_frame_that_makes_it_certain() -> None:
    endpointer = Endpointer(EndpointSettings(), FRAME, RATE)
    came = {}
    for at, value in enumerate([0.0] * 50 + [0.9] * 40 + [0.0] * 60):
        came.update({type(event): at + 1 for event in endpointer.feed([value])})
    assert came == {SpeechStarted: 50 + frames(0.1), SpeechPaused: 90 + frames(0.2), SpeechEnded: 90 + frames(0.5)}


def test_the_prefix_reaches_neither_before_the_stream_nor_into_the_utterance_before() -> None:
    stream = [0.9] * 20 + [0.0] * 26 + [0.9] * 20
    tight = EndpointSettings(prefix_seconds=0.6)
    assert utterances(heard(tight, stream)) == [(0, 20 * FRAME + 1600), (20 * FRAME + 1600, 66 * FRAME)]
    assert utterances(heard(tight, stream, 1000))[0][0] == 1000


def test_speech_that_has_begun_goes_on_down_to_the_release() -> None:
    assert heard(EndpointSettings(), [0.4] * 50) == []
    assert utterances(heard(EndpointSettings(), [0.6] * 10 + [0.4] * 50 + [0.3] * 50)) == [(0, 60 * FRAME + 1600)]
    assert EndpointSettings().release == pytest.approx(0.35)
    assert EndpointSettings(threshold=0.2).release == pytest.approx(0.1)


def test_a_blip_in_a_silence_does_not_prolong_it() -> None:
    speech, blip = [0.9] * 30, [0.9] * 3
    settings = EndpointSettings()
    with_blip = heard(settings, speech + [0.0] * 15 + blip + [0.0] * 30)
    assert with_blip == heard(settings, speech + [0.0] * 60)
    late = Endpointer(settings, FRAME, RATE)
    events = late.feed(speech + [0.0] * 24 + blip)  # the silence would be over, but this may be speech
    assert not utterances(events)
    assert utterances(late.feed([0.0])) == [(0, 30 * FRAME + 1600)]


def test_an_utterance_that_is_too_long_is_cut_where_speech_is_least_likely() -> None:
    stream = [0.9] * 60 + [0.7] + [0.9] * 19 + [0.8] + [0.9] * 60
    found = utterances(heard(EndpointSettings(max_seconds=2.0), stream))
    assert found == [(0, 60 * FRAME), (60 * FRAME, 141 * FRAME)]
    early = [0.9] * 20 + [0.7] + stream[21:60] + [0.9] * 60  # a cut in its first half would not help much
    assert utterances(heard(EndpointSettings(max_seconds=2.0), early))[0][1] >= 50 * FRAME


def test_what_makes_no_sense_is_refused() -> None:
    for wrong in (
        {"threshold": 2},
        {"release": 0.6},
        {"silence_seconds": -1},
        {"max_seconds": 0},
        {"prefix_seconds": "x"},
    ):
        with pytest.raises(UnsupportedInput, match=next(iter(wrong))):
            EndpointSettings(**wrong)
    with pytest.raises(UnsupportedInput, match="samples"):
        Endpointer(EndpointSettings(), 0, RATE)


def test_nothing_comes_after_the_end() -> None:
    endpointer = Endpointer(EndpointSettings(), FRAME, RATE)
    endpointer.finish()
    with pytest.raises(RuntimeError, match="ended"):
        endpointer.feed([0.5])


def test_the_table_knows_every_state_and_sign_that_can_meet() -> None:
    impossible = {(state, Sign.SILENCE) for state in (State.PAUSED, State.RETURNING)}
    assert TABLE.keys() == {(state, sign) for state in State for sign in Sign} - impossible
