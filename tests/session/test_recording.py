"""Recordings: what a session writes is JSON whatever it is told, and comes back as it was."""

from __future__ import annotations

import base64
import io
import json
import math
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from sauropod import (
    AudioFrame,
    CallItem,
    ItemDone,
    Reply,
    ReplyAudio,
    ReplyFinished,
    SessionEvent,
    SessionSettings,
    SessionUpdated,
    SpeechFrame,
    ToolCall,
    UnsupportedInput,
)
from sauropod._session.recording import Line, Recording, read_lines
from sauropod._speech.turns import Sign, Turns
from sauropod.testing import speech_of
from session.talking import RATE, conversation, of, said, speak, until

DEEP = "[" * 300 + "]" * 300
HEAD = '{"sauropod": "session", "format": 1, "time": 0}\n'


def written(*told: SessionEvent | AudioFrame, audio: bool = False) -> list[Line]:
    """What a recorder that was told this has written, without its first line."""
    file = io.StringIO()
    recording = Recording(file, audio)
    for each in told:
        if isinstance(each, AudioFrame):
            recording.heard(each)
        else:
            recording.event(each)
    lines, cut = read_lines(io.StringIO(file.getvalue()))
    assert cut is None
    return lines[1:]


def integers(samples: NDArray[np.float32]) -> list[int]:
    """As 16 bit, by another way than the recorder's."""
    return [max(-32768, min(32767, round(float(sample) * 32768))) for sample in samples]


@given(st.lists(st.integers(-32768, 32767), max_size=50), st.integers(0, 10**9), st.integers(1, 192_000))
def test_samples_of_16_bit_come_back_exactly(whole: list[int], start: int, rate: int) -> None:
    samples = np.array(whole, np.float32) / np.float32(32768)
    heard = AudioFrame(samples, rate, start)
    said = ReplyAudio("reply", "item", SpeechFrame(samples, rate, start, "Hello."))
    for line in written(heard, said, audio=True):
        frame = line.frame()
        assert frame is not None
        assert (frame.rate, frame.start, frame.samples.dtype.name) == (rate, start, "float32")
        assert np.array_equal(frame.samples, samples)


@given(st.lists(st.floats(-4, 4, width=32), max_size=50))
def test_other_samples_come_back_as_the_nearest_of_16_bit(values: list[float]) -> None:
    samples = np.array(values, np.float32)
    (line,) = written(AudioFrame(samples, RATE), audio=True)
    frame = line.frame()
    assert frame is not None
    assert np.array_equal(frame.samples * 32768, integers(samples))


ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers()),
    lambda inner: st.one_of(
        st.lists(inner),
        st.tuples(inner),
        st.dictionaries(st.one_of(st.text(), st.integers()), inner),
        st.dictionaries(st.text(), inner).map(MappingProxyType),
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.text(), ANYTHING, max_size=4))
def test_whatever_a_tool_is_called_with_is_written_as_json(arguments: dict[str, Any]) -> None:
    (line,) = written(ItemDone(CallItem(ToolCall("tool", arguments, "id")), None))
    found = line.part("item").part("call").part("arguments").fields
    assert found.keys() == arguments.keys()
    for name, value in arguments.items():
        if isinstance(value, float):
            assert found[name] == (value if math.isfinite(value) else repr(value))
        elif isinstance(value, str | int | None):
            assert found[name] == value


def test_settings_and_errors_are_written_too() -> None:
    def weather(city: str) -> str:
        return city

    failed = Reply(id="reply", output="audio", status="failed", error=ValueError("no"), voice_name={"a": 0.5})
    updated, finished = written(SessionUpdated(SessionSettings(tools=[weather])), ReplyFinished(failed))
    assert updated.part("settings").parts("tools")[0].part("tool").text("name") == "weather"
    assert finished.part("reply").text("error") == "ValueError('no')"
    assert finished.part("reply").part("voice_name").fields == {"a": 0.5}


def test_audio_is_written_without_its_samples_unless_they_are_asked_for() -> None:
    frame = SpeechFrame(np.zeros(5, np.float32), RATE, 7, "Hello.")
    heard, said = written(frame, ReplyAudio("reply", "item", frame))
    assert (heard.kind, said.kind, said.text("text")) == ("in", "out", "Hello.")
    for line in (heard, said):
        assert (line.count("rate"), line.count("start"), line.count("samples")) == (RATE, 7, 5)
        assert line.frame() is None


def test_without_a_file_nothing_is_written() -> None:
    with Recording.into(None) as recording:
        recording.heard(AudioFrame(np.zeros(5, np.float32), RATE))
        recording.sign(Sign.ONSET, [], Turns())


def test_times_are_by_the_clock_from_the_beginning() -> None:
    file, ticks = io.StringIO(), iter([100.0, 100.5, 102.25])
    recording = Recording(file, clock=lambda: next(ticks))
    for sign in (Sign.ONSET, Sign.PAUSE):
        recording.sign(sign, [], Turns())
    assert [line.at for line in read_lines(file.getvalue().splitlines(True))[0][1:]] == [0.5, 2.25]


@pytest.mark.anyio
async def test_what_a_session_hears_and_says_comes_back(tmp_path: Path) -> None:
    sent, file = said("Who are you?"), tmp_path / "session.jsonl"
    async with conversation({"Who are you?": "I am a fake."}, record=file, record_audio=True) as session:
        await speak(session, sent)
        events = await until(session, ReplyFinished)
    with file.open() as opened:
        lines, _ = read_lines(opened)
    heard = [frame.samples for line in lines[1:] if line.kind == "in" and (frame := line.frame()) is not None]
    taken = (np.concatenate(heard) * 32768).tolist()
    assert taken == integers(sent)[: len(taken)]  # what still waited to be heard was not
    assert len(taken) > len(speech_of("Who are you?"))
    frames = [frame for line in lines[1:] if line.kind == "out" and (frame := line.frame()) is not None]
    told = [event.frame for event in of(events, ReplyAudio)]
    assert [(frame.rate, frame.start) for frame in frames] == [(frame.rate, frame.start) for frame in told]
    for frame, original in zip(frames, told, strict=True):
        assert (frame.samples * 32768).tolist() == integers(original.samples)


# -- what is none -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([], "is empty"),
        (["\n"], "Line 1 does not say"),
        (["{}\n"], "Line 1 does not say"),
        (['{"sauropod": "session"'], "Line 1 does not say"),
        (['{"sauropod": "session", "format": 2, "time": 0}\n'], "format 2, and .* reads format 1. Use the version"),
        (['{"sauropod": "session", "format": 1, "time": "now"}\n'], "'time' is not a number"),
        (['{"sauropod": "session", "format": 1, "time": 1e300}\n'], "'time' is not a number"),
        ([HEAD, "nonsense\n"], "Line 2 is no JSON object"),
        ([HEAD, "[]", "{}"], "Line 2 is no JSON object"),
        ([HEAD, b'"\xff"\n'], "Line 2 is no JSON object"),
        ([HEAD, "[" * 100_000 + "\n"], "Line 2 is no JSON object"),
        ([HEAD, '{"at": 0, "kind": "event", "event": "A", "x": NaN}\n'], "Line 2 is no JSON object"),
        ([HEAD, '{"at": 0, "kind": "event", "event": "A", "x": 1e999}\n'], "Line 2 is no JSON object"),
        (
            [HEAD, f'{{"at": 0, "kind": "event", "event": "A", "x": {DEEP}}}\n'],
            "Line 2 is no JSON object",
        ),
        ([HEAD, '{"kind": "event", "event": "A"}\n'], "Line 2 is not as a session writes it: 'at'"),
        ([HEAD, '{"at": true, "kind": "event", "event": "A"}\n'], "Line 2 .* 'at' is not a number of seconds"),
        ([HEAD, '{"at": 0, "kind": "smell"}\n'], "Line 2 is of a kind 'smell'"),
        ([HEAD, '{"at": 0, "kind": "in", "rate": 0, "start": 0, "samples": 1}\n'], "Line 2 .* 'rate'"),
        ([HEAD, '{"at": 0, "kind": "out", "rate": 1, "start": 0, "samples": 1}\n'], "Line 2 .* 'reply_id'"),
        (
            [HEAD, *(f'{{"at": {at}, "kind": "event", "event": "A"}}\n' for at in (2, 1))],
            "Line 3 is of an earlier time than the line before it: 1 after 2 s",
        ),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(given: list[str | bytes], said: str) -> None:
    with pytest.raises(UnsupportedInput, match=said):
        read_lines(given)


@given(st.integers(1, 200))
def test_a_last_line_that_is_cut_short_is_left_out(length: int) -> None:
    whole = json.dumps({"at": 1.5, "kind": "event", "event": "A" * 200})
    lines, cut = read_lines([HEAD, whole[:length]])
    assert (len(lines), cut) == (1, 2)


@pytest.mark.parametrize(
    "pcm", ["not base64!", base64.b64encode(b"\0").decode(), base64.b64encode(b"\0" * 6).decode(), 7]
)
def test_samples_that_are_none_are_refused(pcm: object) -> None:
    line = Line(3, {"rate": RATE, "start": 0, "samples": 2, "pcm": pcm})
    with pytest.raises(UnsupportedInput, match=r"Line 3 .* 'pcm'"):
        line.frame()
