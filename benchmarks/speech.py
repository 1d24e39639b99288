"""Ears and mouth beside a bare onnxruntime loop over the same graphs, alone and with eight callers; a detector's cost.

Ears and mouth have two sizes: the demo's models, of which a call takes some milliseconds, and random ones that cost
what real ones do. Both sides compute the same clips and phrases, with as many threads.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from statistics import median
from typing import Any

import anyio
import numpy as np

from benchmarks.harness.program import run
from benchmarks.harness.report import Goal, Row
from benchmarks.harness.rounds import interleave
from benchmarks.harness.samples import Samples
from benchmarks.harness.setup import Setup
from benchmarks.speech_bare import BareEars, BareMouth, Sound
from benchmarks.speech_models import SENTENCES, Models, demo, realistic
from sauropod import Transcriber, Voice, VoiceDetector

__all__ = ["SENTENCES", "measure", "resampled"]

LONG = (
    "There is a small house by the sea, and in it lives an old man with two dogs and a cat. Every morning he walks to "
    "the harbour, buys some fish and bread, and talks to everybody he meets on his way home."
)
"""Forty words."""
CALLERS = 8
BARE = "bare loop"


async def measure(setup: Setup) -> Sequence[Row]:
    """The rows of ears, mouth and detector."""
    async with Voice("demo") as voice, VoiceDetector("demo") as detector:
        sounds = [await resampled(voice, sentence) for sentence in SENTENCES]
        rows = await _size(setup, demo(), sounds)
        with realistic(setup.scale) as models:
            rows += await _size(setup, models, sounds)
        return [*rows, *await _detector(setup, detector, sounds), *await _first_audio(setup, voice)]


async def resampled(voice: Voice, text: str) -> Sound:
    """A sentence as a recogniser hears it: float32 at 16 kHz."""
    from sauropod._audio import read_audio

    speech = await voice.say(text)
    return read_audio((speech.samples, speech.rate), rate=16_000).samples


async def _size(setup: Setup, models: Models, sounds: Sequence[Sound]) -> list[Row]:
    """Ears and mouth of one size."""
    return [*await _ears(setup, models, sounds), *await _mouth(setup, models)]


async def _ears(setup: Setup, models: Models, sounds: Sequence[Sound]) -> list[Row]:
    bare = BareEars.open(models.ears, setup.threads)
    seconds = sum(len(sound) for sound in sounds) / 16_000
    async with Transcriber(models.ears, vad=None, threads=setup.threads) as transcriber:

        async def alone(sound: Sound) -> None:
            await transcriber.transcribe((sound, 16_000))

        one = await _rounds(setup, lambda: _each(alone, sounds), lambda: bare.all(sounds))
        many = await _rounds(setup, lambda: _together(alone, sounds), lambda: bare.all(sounds))
    return [
        _row(models, "recognise", 1, seconds, one, 0.95),
        _row(models, "recognise", CALLERS, seconds, many, 1.5),
    ]


async def _mouth(setup: Setup, models: Models) -> list[Row]:
    """One caller has all threads. Of several, as many are computed side by side as there are threads, one for each."""
    rows = []
    for callers, goal, gather, slots, threads in (
        (1, 0.95, _each, 1, setup.threads),
        (CALLERS, 1.5, _together, setup.threads, 1),
    ):
        async with Voice(models.mouth, slots=slots, threads=threads) as voice:
            name = voice.info.voices[0]
            bare = BareMouth.open(models.mouth, name, setup.threads)
            phrases = [phrase for sentence in models.texts for phrase in bare.phrases(sentence)]
            seconds = sum([(await voice.say(sentence, voice=name)).duration for sentence in models.texts])

            async def alone(sentence: str, voice: Voice = voice, name: str = name) -> None:
                await voice.say(sentence, voice=name)

            times = await _rounds(setup, partial(gather, alone, models.texts), partial(bare.all, phrases))
        rows.append(_row(models, "speak", callers, seconds, times, goal))
    return rows


async def _detector(setup: Setup, detector: VoiceDetector, sounds: Sequence[Sound]) -> list[Row]:
    """Milliseconds for each second of audio, fed as a microphone gives it: 20 ms at a time, and by the second."""
    sound = np.concatenate(list(sounds))
    seconds = len(sound) / 16_000

    async def listen(size: int) -> None:
        stream = detector.stream()
        for at in range(0, len(sound), size):
            await stream.feed(sound[at : at + size])
        await stream.finish()

    async def crowd() -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(CALLERS):
                tasks.start_soon(listen, 16_000)

    rows = []
    for work, action, streams in (
        ("detect, 20 ms frames", lambda: listen(320), 1),
        ("detect, 1 s blocks", lambda: listen(16_000), 1),
        (f"detect, 1 s blocks, {CALLERS} streams", crowd, CALLERS),
    ):
        taken = [await _timed(action) * 1000 / seconds / streams for _ in range(setup.rounds)]
        goal = Goal(at_most=10, relative=False) if "blocks" in work else None
        rows.append(Row(work, "for 1 s of audio", "ms", Samples(taken), None, goal))
    return rows


async def _first_audio(setup: Setup, voice: Voice) -> list[Row]:
    """How long until the first sound of forty words, and until all of them have been said."""

    async def first() -> None:
        async with voice.stream(LONG) as frames:
            await anext(frames)

    async def whole() -> None:
        await voice.say(LONG)

    early, late = await _rounds(setup, first, whole)
    return [Row("speak 40 words", "first sound, beside all of it", "s", Samples(early), Samples(late), None, "all")]


# -- how it is measured ------------------------------------------------------------------------------------------------


def _row(models: Models, work: str, callers: int, seconds: float, times: Sequence[Sequence[float]], goal: float) -> Row:
    """Seconds of audio in each second, of ours and of the bare loop."""
    ours, bare = (Samples(seconds / taken for taken in each) for each in times)
    call = median(times[1]) * 1000 / len(SENTENCES)
    who = "1 caller" if callers == 1 else f"{callers} callers"
    name = f"{work}, {who}, {models.name} ({call:.3g} ms a call)"
    return Row(name, "audio per second", "s", ours, bare, Goal(at_least=goal), BARE)


async def _rounds(
    setup: Setup, ours: Callable[[], Awaitable[Any]], theirs: Callable[[], Awaitable[Any]]
) -> list[list[float]]:
    async def one(side: Callable[[], Awaitable[Any]], _: int) -> float:
        return await _timed(side)

    for side in (ours, theirs):
        await side()
    return await interleave(setup, [ours, theirs], one)


async def _timed(action: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await action()
    return time.perf_counter() - began


async def _each(action: Callable[[Any], Coroutine[Any, Any, None]], items: Sequence[Any]) -> None:
    for item in items:
        await action(item)


async def _together(action: Callable[[Any], Coroutine[Any, Any, None]], items: Sequence[Any]) -> None:
    """All at once: one caller for each."""
    async with anyio.create_task_group() as tasks:
        for item in items:
            tasks.start_soon(action, item)


if __name__ == "__main__":
    run(__doc__, measure)
