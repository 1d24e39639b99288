"""A spoken conversation, from speech to speech: one voice asks, ears listen, the model answers, another voice speaks.

Questions are listened to as they would be from a microphone: in real time, in frames of 20 ms.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from typing import TYPE_CHECKING

import anyio
import attrs

from sauropod import (
    AudioFrame,
    Engine,
    FinalTranscript,
    Mark,
    Message,
    SamplingParams,
    Speech,
    TextDelta,
    Transcriber,
    UtteranceEnded,
    Voice,
)
from sauropod._text.phrases import Phrases

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Conversation", "Moments", "SpokenTurn", "whole"]

FRAME = 0.02
"""Seconds."""
PATIENCE = 4.0
"""Seconds of silence after a question, after which nothing will be heard any more."""
LONGEST_ANSWER = 160
"""Tokens."""


@attrs.frozen
class Moments:
    """When what happened, in seconds after the last sample of the question's speech. None: it did not."""

    endpoint: float | None = None
    """It is certain that the question is over."""
    transcript: float | None = None
    first_token: float | None = None
    first_phrase: float | None = None
    """Enough is written to begin to speak."""
    first_audio: float | None = None
    last_audio: float | None = None


@attrs.frozen(eq=False)
class SpokenTurn:
    """A question and its answer, both as text and as sound."""

    question: str
    asked: Speech
    heard: str
    answer: str
    spoken: Speech
    moments: Moments


@attrs.define(eq=False)
class _Watch:
    """Notes when something happens for the first time."""

    begin: float = 0.0
    """The clock at the last sample of speech."""
    noted: dict[str, float] = attrs.field(factory=dict)

    def note(self, name: str) -> None:
        self.noted.setdefault(name, time.perf_counter())

    def moments(self) -> Moments:
        """What was noted after the last sample of speech; nothing, if that never came."""
        return Moments(**{name: at - self.begin for name, at in self.noted.items()}) if self.begin else Moments()


@attrs.define(eq=False)
class Conversation:
    """The four of them, and what has been said."""

    asking: Voice
    ears: Transcriber
    engine: Engine
    speaking: Voice
    first: str | None = None
    """The voice that asks."""
    second: str | None = None
    """The voice that answers."""
    messages: list[Message] = attrs.field(factory=list)

    async def ask(self, question: str) -> SpokenTurn:
        """Say a question, hear it, answer it and speak the answer."""
        watch = _Watch()
        asked = await self.asking.say(question, voice=self.first)
        heard = await self._hear(asked, watch)
        if not heard:
            return SpokenTurn(question, asked, "", "", _silence(self.speaking.info.sample_rate), watch.moments())
        self.messages.append(Message.user(heard))
        answer, spoken = await self._answer(watch)
        self.messages.append(Message.assistant(answer))
        return SpokenTurn(question, asked, heard, answer, spoken, watch.moments())

    async def _hear(self, asked: Speech, watch: _Watch) -> str:
        last = asked.marks[-1].last if asked.marks else len(asked.samples)
        frames = _paced(asked.samples, asked.rate, last, watch)
        heard: list[str] = []  # with a pause in it, a question is several utterances
        async with self.ears.stream(frames, partials=False) as events:
            async for event in events:
                if isinstance(event, UtteranceEnded) and watch.begin:
                    watch.note("endpoint")
                elif isinstance(event, FinalTranscript) and event.text:
                    heard.append(event.text)
                    if "endpoint" in watch.noted:
                        watch.note("transcript")
                        break
        return " ".join(heard)

    async def _answer(self, watch: _Watch) -> tuple[str, Speech]:
        import numpy as np

        said: list[str] = []
        samples, marks = [np.zeros(0, np.float32)], list[Mark]()
        async with self.speaking.stream(self._written(said, watch), voice=self.second) as frames:
            async for frame in frames:
                watch.note("first_audio")
                samples.append(frame.samples)
                marks += frame.marks
        watch.note("last_audio")
        text = "".join(said)
        return text.strip(), Speech(text, np.concatenate(samples), self.speaking.info.sample_rate, tuple(marks))

    async def _written(self, said: list[str], watch: _Watch) -> AsyncGenerator[str, None]:
        """The answer as it is written."""
        phrases, sampling = Phrases(), SamplingParams(max_tokens=LONGEST_ANSWER)
        async with self.engine.stream(self.messages, sampling=sampling, priority="live") as stream:
            async for event in stream:
                if isinstance(event, TextDelta):
                    watch.note("first_token")
                    said.append(event.text)
                    if phrases.feed(event.text):
                        watch.note("first_phrase")
                    yield event.text
        if phrases.finish():
            watch.note("first_phrase")


async def _paced(samples: NDArray[np.float32], rate: int, last: int, watch: _Watch) -> AsyncIterator[AudioFrame]:
    """The samples in real time, then silence. `last` is the sample after the last of speech."""
    import numpy as np

    size = round(FRAME * rate)
    padded = np.pad(samples, (0, -len(samples) % size + round(PATIENCE * rate)))
    begin = time.perf_counter()
    for at in range(0, len(padded) - size + 1, size):
        frame = AudioFrame(padded[at : at + size], rate, at)
        await anyio.sleep(max(0.0, begin + frame.end / rate - time.perf_counter()))
        if frame.start < last <= frame.end:
            watch.begin = begin + last / rate
        yield frame


def _silence(rate: int) -> Speech:
    import numpy as np

    return Speech("", np.zeros(0, np.float32), rate)


def whole(turns: Sequence[SpokenTurn], pause: float = 0.4) -> tuple[NDArray[np.float32], int]:
    """All of it as one recording: float32 [n] and its rate. Between the two the time passes that it took."""
    import numpy as np

    from sauropod._speech.resampler import Resampler

    rate = turns[0].spoken.rate
    parts: list[NDArray[np.float32]] = []
    for turn in turns:
        resampler = Resampler(turn.asked.rate, rate)
        wait = turn.moments.first_audio or 0.0
        last = turn.asked.marks[-1].last if turn.asked.marks else len(turn.asked.samples)
        parts += [
            resampler.feed(turn.asked.samples[:last]),
            resampler.finish(),
            np.zeros(round(wait * rate), np.float32),
        ]
        parts += [turn.spoken.samples, np.zeros(round(pause * rate), np.float32)]
    return np.concatenate(parts), rate
