"""Transcribers, over a recogniser and a detector made of arithmetic: a lost or moved sample is a wrong letter."""

from __future__ import annotations

import re
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import AsyncExitStack
from itertools import pairwise
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
ORDER = [UtteranceStarted, UtteranceEnded, FinalTranscript]


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
    frames = slowly(frames_of(audio_of("Good day to you.", "And bye.")))
    async with fake(seconds=0.05) as transcriber, transcriber.stream(frames) as stream:
        events = [event async for event in stream]
    finals = [event for event in events if isinstance(event, FinalTranscript)]
    assert [final.text for final in finals] == ["Good day to you.", "And bye."]
    kinds = [type(event).__name__[0] for event in events if not isinstance(event, UtteranceStarted)]
    assert re.fullmatch("(P*UF){2}", "".join(kinds))  # partial transcripts, then its end, then the final one
    assert [type(event) for event in events if not isinstance(event, PartialTranscript)] == ORDER * 2
    for event in events[: events.index(finals[0])]:
        if isinstance(event, PartialTranscript):
            assert "Good day to you.".startswith(event.stable)


async def test_partial_transcripts_grow_and_take_nothing_back() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    async with fake() as transcriber, transcriber.stream(slowly(frames_of(audio_of(text)))) as stream:
        partials = [event.stable async for event in stream if isinstance(event, PartialTranscript)]
    assert len(partials) >= 2
    assert all(later.startswith(earlier) for earlier, later in pairwise(partials))
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
        ([AudioFrame(np.zeros(10, np.int16), RATE)], "float32"),
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

    async def endless() -> AsyncGenerator[AudioFrame, None]:
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


async def test_a_slow_recogniser_is_waited_for_and_nothing_piles_up() -> None:
    taken = 0

    async def frames() -> AsyncIterator[AudioFrame]:
        nonlocal taken
        for _ in range(60):
            taken += 1
            yield AudioFrame(audio_of("word by word", gap=0.4), RATE)
            await anyio.lowlevel.checkpoint()

    async with fake(batch=1, seconds=0.02) as transcriber, transcriber.stream(frames(), partials=False) as stream:
        while not isinstance(await anext(stream), FinalTranscript):
            pass
        assert taken < 12
        finals = [event async for event in stream if isinstance(event, FinalTranscript)]
    assert len(finals) == 59


async def test_an_error_of_the_callback_is_the_callers_own() -> None:
    def broken(told: TranscriptionProgress) -> None:
        if told.done > 2:
            raise ValueError("mine")

    async with fake(seconds=0.01) as transcriber:
        with pytest.raises(ValueError, match="mine"):
            await transcriber.transcribe((audio_of("one word", "and another", "and more"), RATE), progress=broken)
        assert (await transcriber.transcribe((audio_of("all good"), RATE))).text == "all good"


async def test_a_source_that_blocks_holds_up_nobody() -> None:
    held = threading.Event()

    def blocking() -> Iterator[AudioFrame]:
        yield AudioFrame(np.zeros(RATE, np.float32), RATE)
        held.wait(30)

    try:
        async with fake() as transcriber:
            async with AsyncExitStack() as stack:
                for _ in range(50):
                    await stack.enter_async_context(transcriber.stream(blocking()))
                with anyio.fail_after(20):
                    assert (await transcriber.transcribe((audio_of("all good"), RATE))).text == "all good"
            with anyio.move_on_after(0.2) as scope:
                await transcriber.transcribe(blocking())
            assert scope.cancelled_caught
    finally:
        held.set()


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"endpoint": 5}, "endpoint is a EndpointSettings"),
        ({"language": 5}, "language is a tag"),
        ({"worker": 5}, "worker is a name"),
        ({"isolation": "none"}, "isolation is one of"),
    ],
)
async def test_arguments_of_other_kinds_are_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(sauropod.UnsupportedInput, match=complaint):
        Transcriber("fake:recognizer", **arguments)


async def test_a_detector_loses_nothing_when_a_call_is_cancelled() -> None:
    async with sauropod.VoiceDetector("fake:voice_detector", isolation="thread") as detector:
        stream = detector.stream(RATE)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.feed(speech_of("ab"))
        assert list(await stream.feed(speech_of("c"))) == [1.0] * 3
        with pytest.raises(sauropod.UnsupportedInput, match="float32"):
            await stream.feed(np.zeros(10, np.int16))
        with anyio.CancelScope() as scope:
            scope.cancel()
            await stream.finish()
        await stream.finish()  # which was cancelled, so it is asked again
        with pytest.raises(sauropod.UnsupportedInput, match="has been finished"):
            await stream.finish()
        with pytest.raises(sauropod.UnsupportedInput, match="has been finished"):
            await stream.feed(speech_of("d"))
