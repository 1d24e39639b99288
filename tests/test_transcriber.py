"""Transcribers, over a recogniser and a detector made of arithmetic: a lost or moved sample is a wrong letter."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from numpy.typing import NDArray

import sauropod
from sauropod import (
    AudioFrame,
    FinalTranscript,
    PartialTranscript,
    Transcriber,
    TranscriptionProgress,
    UtteranceEnded,
    UtteranceStarted,
)
from sauropod.testing import speech_of

pytestmark = pytest.mark.anyio

RATE = 16_000


def fake(**options: Any) -> Transcriber:
    known = {"vad": options.pop("vad", "fake:voice_detector")}
    return Transcriber("fake:recognizer", isolation="thread", options=options, **known)


def audio_of(*texts: str, gap: float = 1.0) -> NDArray[np.float32]:
    silence = np.zeros(round(gap * RATE), np.float32)
    return np.concatenate([part for text in texts for part in (silence, speech_of(text))] + [silence])


def frames_of(samples: NDArray[np.float32], size: int = 480) -> Iterator[AudioFrame]:
    for start in range(0, len(samples), size):
        yield AudioFrame(samples[start : start + size], RATE, start)


async def test_what_was_said_is_heard_with_its_times() -> None:
    async with fake() as transcriber:
        transcript = await transcriber.transcribe((audio_of("Hello there.", "How are you?"), RATE))
    assert transcript.text == "Hello there. How are you?"
    assert [segment.text for segment in transcript.segments] == ["Hello there.", "How are you?"]
    hello, there, *_ = transcript.words
    assert (hello.text, there.text) == ("Hello", "there.")
    assert hello.start == pytest.approx(1.0, abs=0.001)
    assert there.start == pytest.approx(1.0 + 6 * 0.02, abs=0.001)
    assert transcript.segments[1].start == pytest.approx(1 + 0.24 + 1, abs=0.001)
    assert transcript.language == "en-us"
    assert transcript.duration == pytest.approx(3.48, abs=0.001)


async def test_silence_is_an_empty_transcript() -> None:
    async with fake() as transcriber:
        transcript = await transcriber.transcribe((np.zeros(RATE, np.float32), RATE))
    assert (transcript.text, transcript.segments, transcript.duration) == ("", (), 1.0)


async def test_long_audio_is_cut_at_silences_and_told_of() -> None:
    sentences = [f"This is sentence number {number}." for number in range(40)]
    told: list[TranscriptionProgress] = []
    async with fake(batch=4, max_seconds=5) as transcriber:
        transcript = await transcriber.transcribe((audio_of(*sentences), RATE), progress=told.append)
    assert transcript.text == " ".join(sentences)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert told[-1].done == pytest.approx(transcript.duration)
    assert told[-1].total == pytest.approx(transcript.duration)


async def test_speech_without_a_pause_is_cut_where_it_has_to_be_and_nothing_is_lost() -> None:
    text = "abcdefghijklmnopqrstuvwxyz" * 20  # 10.4 s
    async with fake(max_seconds=2) as transcriber:
        transcript = await transcriber.transcribe((audio_of(text), RATE))
    assert transcript.text.replace(" ", "") == text
    assert len(transcript.segments) >= 6


async def test_without_a_detector_all_is_speech() -> None:
    async with fake(vad=None) as transcriber:
        transcript = await transcriber.transcribe((audio_of("No gate."), RATE))
    assert transcript.text == "No gate."


async def test_files_are_read_at_their_own_rate(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    soundfile.write(tmp_path / "a.flac", np.stack([np.repeat(audio_of("Stereo."), 3)] * 2, axis=1), 3 * RATE)
    async with fake() as transcriber:
        assert (await transcriber.transcribe(tmp_path / "a.flac")).text == "Stereo."


async def test_a_failing_clip_is_the_errors_own() -> None:
    async with fake(fails_on="bad") as transcriber:
        with pytest.raises(sauropod.BackendError, match="made to fail"):
            await transcriber.transcribe((audio_of("all good", "this is bad", "all good"), RATE))
        assert (await transcriber.transcribe((audio_of("all good"), RATE))).text == "all good"


async def test_many_files_share_batches() -> None:
    async with fake(batch=8, seconds=0.02) as transcriber:
        found: dict[int, str] = {}

        async def one(number: int) -> None:
            found[number] = (await transcriber.transcribe((audio_of(f"File {number}."), RATE))).text

        async with anyio.create_task_group() as tasks:
            for number in range(12):
                tasks.start_soon(one, number)
    assert found == {number: f"File {number}." for number in range(12)}


async def test_a_stream_tells_of_each_utterance_in_order() -> None:
    async with fake() as transcriber, transcriber.stream(frames_of(audio_of("Good day to you.", "And bye."))) as stream:
        events = [event async for event in stream]
    finals = [event for event in events if isinstance(event, FinalTranscript)]
    assert [final.text for final in finals] == ["Good day to you.", "And bye."]
    kinds = [type(event) for event in events if not isinstance(event, PartialTranscript)]
    assert kinds == [UtteranceStarted, UtteranceEnded, FinalTranscript] * 2
    for event in events[: events.index(finals[0])]:
        if isinstance(event, PartialTranscript):
            assert "Good day to you.".startswith(event.stable)


async def test_partial_transcripts_grow_and_take_nothing_back() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    async with fake() as transcriber, transcriber.stream(slowly(frames_of(audio_of(text)))) as stream:
        partials = [event.stable async for event in stream if isinstance(event, PartialTranscript)]
    assert len(partials) >= 2
    assert all(later.startswith(earlier) for earlier, later in zip(partials, partials[1:], strict=False))
    assert all(text.startswith(each) for each in partials)


async def slowly(frames: Iterator[AudioFrame]) -> AsyncIterator[AudioFrame]:
    """As a microphone gives them, but without the waiting: others have their turn in between."""
    for frame in frames:
        for _ in range(20):
            await anyio.lowlevel.checkpoint()
        yield frame


async def test_the_way_frames_are_cut_changes_nothing() -> None:
    samples = audio_of("Cut me anywhere.", "You will not hear it.")
    heard = []
    async with fake() as transcriber:
        for size in (37, 480, 16_000, len(samples)):
            async with transcriber.stream(frames_of(samples, size), partials=False) as stream:
                heard.append([event async for event in stream])
    for each in heard[1:]:
        assert each == heard[0]


@pytest.mark.parametrize(
    ("frames", "complaint"),
    [
        ([AudioFrame(np.zeros(10, np.int16), RATE)], "float32"),  # type: ignore[arg-type]
        ([AudioFrame(np.full(10, np.nan, np.float32), RATE)], "NaN"),
        ([AudioFrame(np.zeros(10, np.float32), RATE), AudioFrame(np.zeros(10, np.float32), 8000)], "one rate"),
        ([np.zeros(10, np.float32)], "AudioFrame"),
        (3, "iterable"),
    ],
)
async def test_frames_that_are_none_are_refused(frames: Any, complaint: str) -> None:
    async with fake() as transcriber, transcriber.stream(frames) as stream:
        with pytest.raises(sauropod.UnsupportedInput, match=complaint):
            await anext(stream)


async def test_an_error_of_the_source_reaches_the_reader() -> None:
    async def broken() -> AsyncIterator[AudioFrame]:
        yield AudioFrame(np.zeros(100, np.float32), RATE)
        raise OSError("the microphone was pulled out")

    async with fake() as transcriber, transcriber.stream(broken()) as stream:
        with pytest.raises(OSError, match="pulled out"):
            await anext(stream)


async def test_leaving_a_stream_stops_it() -> None:
    closed = anyio.Event()

    async def endless() -> AsyncIterator[AudioFrame]:
        try:
            while True:
                yield AudioFrame(speech_of("on and on "), RATE)
                await anyio.lowlevel.checkpoint()
        finally:
            closed.set()

    async with fake() as transcriber:
        source = endless()
        async with transcriber.stream(source) as stream:
            await anext(stream)
        await source.aclose()
        assert closed.is_set()
        with pytest.raises(sauropod.ClosedError):
            await anext(stream)
        assert (await transcriber.transcribe((audio_of("Still here."), RATE))).text == "Still here."


async def test_a_model_of_another_kind_is_refused() -> None:
    with pytest.raises(sauropod.UnsupportedModel, match="synthesizer, and a recognizer is needed"):
        await Transcriber("fake:synthesizer", vad=None, isolation="thread").open()
    with pytest.raises(sauropod.UnsupportedModel, match="recognizer, and a voice detector is needed"):
        await Transcriber("fake:recognizer", vad="fake:recognizer", isolation="thread").open()
    with pytest.raises(sauropod.UnsupportedModel, match=r"language model.*Engine"):
        await Transcriber("fake:", vad=None, isolation="thread").open()


async def test_a_crash_costs_nothing_but_time(tmp_path: Path) -> None:
    async with Transcriber("fake:recognizer", vad="fake:voice_detector", options={"crash_on": "die"}) as transcriber:
        with pytest.raises(sauropod.BackendCrashed):
            await transcriber.transcribe((audio_of("live and let die"), RATE))
        assert (await transcriber.transcribe((audio_of("live on"), RATE))).text == "live on"


async def test_what_is_closed_says_so() -> None:
    transcriber = fake()
    with pytest.raises(sauropod.ClosedError, match="transcriber is not open"):
        await transcriber.transcribe((audio_of("x"), RATE))
    async with transcriber:
        pass
    with pytest.raises(sauropod.ClosedError, match="has been closed"):
        transcriber.stream([])
