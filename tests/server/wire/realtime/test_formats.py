"""Sound as it travels in messages."""

from __future__ import annotations

import base64
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod.server.problems import Problem
from sauropod.server.wire.realtime.formats import (
    LONGEST,
    Alaw,
    Format,
    Incoming,
    Mulaw,
    Outgoing,
    Pcm,
    base64_of,
    whole_audio,
    written_audio,
)

pytest.importorskip("soxr")

FORMATS: list[Format] = [Pcm(), Mulaw(), Alaw()]


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6), st.sampled_from(FORMATS))
def test_however_it_is_cut_the_same_samples_come_out(data: bytes, cuts: list[int], form: Format) -> None:
    incoming, places = Incoming(), [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    frames = [incoming.feed(base64.b64encode(data[start:end]).decode(), form) for start, end in pairwise(places)]
    samples = [frame.samples for frame in frames if frame is not None]
    found = np.concatenate(samples) if samples else np.zeros(0, np.float32)
    size = 2 if isinstance(form, Pcm) else 1
    assert len(found) == len(data) // size
    assert base64.b64decode(base64_of(found, form))[: len(data)] == _canonical(data[: len(data) // size * size], form)


def _canonical(data: bytes, form: Format) -> bytes:
    """µ-law has two zeros, of which one is written."""
    return data.replace(b"\x7f", b"\xff") if isinstance(form, Mulaw) else data


def test_what_comes_in_at_another_rate_goes_on_at_the_first() -> None:
    incoming = Incoming()
    first = incoming.feed(base64_of(np.zeros(2400, np.float32), Pcm()), Pcm())
    second = incoming.feed(base64_of(np.zeros(8000, np.float32), Mulaw()), Mulaw())
    assert first is not None
    assert second is not None
    assert (first.rate, second.rate) == (24_000, 24_000)
    assert 22_000 < len(second.samples) <= 24_000


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("rate", [16_000, 24_000])
def test_what_goes_out_is_as_long_as_what_was_said(form: Format, rate: int) -> None:
    outgoing, tone = Outgoing(form), np.sin(np.arange(rate) * 0.05).astype(np.float32) * 0.5
    pieces = [outgoing.feed(tone[at : at + 960], rate) for at in range(0, rate, 960)]
    data = b"".join(base64.b64decode(piece) for piece in [*pieces, outgoing.finish()])
    assert len(data) == form.rate * (2 if isinstance(form, Pcm) else 1)


def test_what_was_heard_is_told_in_the_sessions_format() -> None:
    frame = whole_audio(base64.b64encode(b"\x01\x02" * 480).decode(), Pcm(), "audio")
    assert (frame.rate, len(frame.samples)) == (24_000, 480)
    assert base64.b64decode(written_audio(frame, Pcm())) == b"\x01\x02" * 480
    assert len(base64.b64decode(written_audio(frame, Mulaw()))) == 160


@pytest.mark.parametrize("audio", ["x", "AAA", "AA AA", "ä", "====", "\ud800"])
def test_what_is_no_base64_is_refused(audio: str) -> None:
    with pytest.raises(Problem) as raised:
        Incoming().feed(audio, Pcm())
    assert (raised.value.status, raised.value.param) == (400, "audio")


def test_more_than_a_message_may_have_is_refused() -> None:
    with pytest.raises(Problem) as raised:
        Incoming().feed("A" * (LONGEST * 4 // 3 + 8), Pcm())
    assert raised.value.code == "string_above_max_length"


def test_an_item_without_sound_is_refused() -> None:
    with pytest.raises(Problem, match="empty"):
        whole_audio("", Pcm(), "audio")
