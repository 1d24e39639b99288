"""Voices, over a synthesizer made of arithmetic: what it says can be read off its samples."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest

import sauropod
from sauropod import Engine, Speech, SpeechFrame, Transcriber, Voice

pytestmark = pytest.mark.anyio

STORY = (
    "Once there was a dinosaur, and it was very large. It ate leaves all day long! Did it sleep at night? Yes, it did."
)


def fake(**options: Any) -> Voice:
    return Voice("fake:synthesizer", isolation="thread", options=options)


async def heard(speech: Speech) -> str:
    async with Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread") as transcriber:
        return (await transcriber.transcribe((speech.samples, speech.rate))).text


async def test_what_is_said_can_be_heard() -> None:
    async with fake() as voice:
        speech = await voice.say(STORY)
    assert await heard(speech) == STORY
    assert speech.duration == pytest.approx(len(speech.samples) / 24_000)


async def test_marks_tell_which_samples_say_which_characters() -> None:
    async with fake() as voice:
        speech = await voice.say(STORY)
    assert " ".join(STORY[mark.start : mark.end].strip() for mark in speech.marks) == STORY
    for mark in speech.marks:
        part = Speech("", speech.samples[mark.first : mark.last], speech.rate)
        assert await heard(part) == STORY[mark.start : mark.end].strip()


async def test_the_first_frame_comes_after_the_first_clause() -> None:
    said: list[str] = []

    async def writing() -> AsyncIterator[str]:
        for word in STORY.split(" "):
            said.append(word)
            yield f"{word} "
            await anyio.lowlevel.checkpoint()

    async with fake() as voice, voice.stream(writing()) as frames:
        first = await anext(frames)
        assert first.text.strip() == "Once there was a dinosaur,"
        assert len(said) < len(STORY.split(" "))


async def test_frames_follow_each_other_without_a_gap() -> None:
    async with fake() as voice, voice.stream(STORY) as stream:
        frames: list[SpeechFrame] = [frame async for frame in stream]
    assert len(frames) >= 4
    assert [frame.start for frame in frames] == [0, *np.cumsum([len(frame.samples) for frame in frames])[:-1]]
    assert "".join(frame.text for frame in frames).replace(" ", "") == STORY.replace(" ", "")


async def test_however_the_text_comes_in_pieces_the_speech_is_the_same() -> None:
    async with fake() as voice:
        whole = await voice.say(STORY)
        for size in (1, 7):
            pieces = [STORY[at : at + size] for at in range(0, len(STORY), size)]
            async with voice.stream(pieces) as stream:
                samples = np.concatenate([frame.samples async for frame in stream])
            assert np.array_equal(samples, whole.samples)


async def test_an_engine_is_spoken_as_it_writes() -> None:
    options = {"says": {"Hello": "Good day to you, dear user of mine. What can I do?"}}
    async with Engine("fake:", isolation="thread", options=options) as engine, fake() as voice:
        async with voice.stream(engine.stream("Hello")) as stream:
            frames = [frame async for frame in stream]
        speech = Speech("", np.concatenate([frame.samples for frame in frames]), 24_000)
    assert len(frames) >= 2
    assert await heard(speech) == "Good day to you, dear user of mine. What can I do?"


async def test_code_is_left_out() -> None:
    async with fake() as voice:
        speech = await voice.say("Do it like this:\n```\nfor x in y:\n```\nAnd that is all of it.")
    assert await heard(speech) == "Do it like this: And that is all of it."


@pytest.mark.parametrize("text", ["", "   ", "...", "\n\n", "🦕"])
async def test_nothing_to_say_is_no_error(text: str) -> None:
    async with fake() as voice:
        assert len((await voice.say(text)).samples) == 0


async def test_leaving_a_stream_stops_it() -> None:
    async with fake() as voice:
        async with voice.stream([STORY] * 1000) as stream:
            await anext(stream)
        with pytest.raises(sauropod.ClosedError):
            await anext(stream)
        assert len((await voice.say("Still here.")).samples)


async def test_a_phrase_that_fails_comes_after_those_that_did_not() -> None:
    async with fake(fails_on="bad") as voice, voice.stream("This is a good sentence. A bad one. Then more.") as stream:
        assert (await anext(stream)).text.strip() == "This is a good sentence."
        with pytest.raises(sauropod.BackendError, match="made to fail"):
            await anext(stream)


async def test_an_error_of_the_text_comes_after_what_was_said() -> None:
    async def breaking() -> AsyncIterator[str]:
        yield "This is a whole sentence. And "
        raise OSError("the pen broke")

    async with fake() as voice, voice.stream(breaking()) as stream:
        assert (await anext(stream)).text.strip() == "This is a whole sentence."
        with pytest.raises(OSError, match="the pen broke"):
            await anext(stream)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"voice": "fakest"}, "no voice 'fakest'. Did you mean"),
        ({"speed": 9}, "speed must be a number from 0.5 to 2"),
        ({"speed": float("nan")}, "speed"),
        ({"priority": "urgent"}, "priority is one of"),
    ],
)
async def test_what_the_voice_cannot_do_is_refused_at_once(options: Any, complaint: str) -> None:
    async with fake() as voice:
        with pytest.raises(sauropod.UnsupportedInput, match=complaint):
            voice.stream("Hello", **options)


@pytest.mark.parametrize("text", [3, b"bytes", [1, 2]])
async def test_what_is_no_text_is_refused(text: Any) -> None:
    async with fake() as voice, voice.stream(text) as stream:
        with pytest.raises(sauropod.UnsupportedInput, match="text"):
            await anext(stream)


async def test_voices_are_blended() -> None:
    async with fake() as voice:
        assert len((await voice.say("Hello.", voice="fake:0.7+faker:0.3")).samples)


async def test_speech_is_saved_and_shown(tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    async with fake() as voice:
        speech = await voice.say("Hello.")
    speech.save(tmp_path / "hello.wav")
    samples, rate = soundfile.read(tmp_path / "hello.wav")
    assert rate == 24_000
    assert np.allclose(samples, speech.samples, atol=1e-4)
    assert "data:audio/wav;base64," in speech._repr_html_()
