"""Speech being recognised while it is said: frames go in, partial and final transcripts come out."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

import anyio
import attrs
from anyio.abc import ObjectSendStream, TaskGroup

from sauropod._detector import checked_samples
from sauropod._ears import Ears, Utterances
from sauropod._flow import Flow
from sauropod._iterating import closing, in_thread
from sauropod._speech.endpointer import EndpointSettings, SpeechEnded, SpeechStarted
from sauropod._speech.partials import Partials
from sauropod._speech.resampler import Resampler
from sauropod._values.audio import AudioFrame
from sauropod._values.scheduling import Priority
from sauropod._values.speech import (
    FinalTranscript,
    HearingEvent,
    PartialTranscript,
    UtteranceEnded,
    UtteranceStarted,
)
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Frames", "TranscriptStream"]

Frames: TypeAlias = "AsyncIterable[AudioFrame] | Iterable[AudioFrame]"

IN_FLIGHT = 2
"""Batches of utterances that are with the recogniser at once."""
EVENTS = 64
"""Events that wait for whoever reads them; then no more audio is taken in."""
SOONEST = 0.3
"""Seconds of new audio that are worth another partial transcript."""
SHARE = 0.5
"""The share of its time that the recogniser spends on partial transcripts, at most."""


@attrs.define(eq=False)
class _Utterance:
    """One utterance, its events as far as they could not be given out yet."""

    start: float
    partials: Partials = attrs.field(factory=Partials)
    waiting: deque[HearingEvent] = attrs.field(factory=deque)
    ended: bool = False
    """It is over, and no partial transcript is of use any more."""
    heard: int = 0
    """Up to which sample it has been recognised."""
    running: bool = False
    """A partial transcript is being made."""


@attrs.define(eq=False)
class TranscriptStream(Flow[HearingEvent]):
    """What is said in a stream of audio, while it comes in.

        async with transcriber.stream(microphone) as events:
            async for event in events:
                match event:
                    case PartialTranscript(): show(event.text)
                    case FinalTranscript(): ...

    Of each utterance, in this order: `UtteranceStarted`, some `PartialTranscript`, `UtteranceEnded`, `FinalTranscript`.
    Utterances do not mix. Leaving the block stops all of it. It belongs to the task that opened it.
    """

    _maker: ClassVar[str] = "transcriber.stream(…)"
    _ahead: ClassVar[float] = EVENTS
    _ears: Ears
    _frames: Frames
    _settings: EndpointSettings
    _language: str | None
    _partial: bool
    _priority: Priority
    _out: ObjectSendStream[HearingEvent | Exception] = attrs.field(init=False)
    _line: deque[_Utterance] = attrs.field(factory=deque)
    """Utterances that are not complete yet, the oldest first: only its events are given out."""
    _telling: anyio.Lock = attrs.field(factory=anyio.Lock)
    _room: anyio.CapacityLimiter = attrs.field(init=False)
    """For utterances that are with the recogniser. When it is full, no more audio is taken in."""
    _pace: float = 0.0
    """Seconds that the last partial transcript took."""

    def __attrs_post_init__(self) -> None:
        self._room = anyio.CapacityLimiter(IN_FLIGHT * max(1, self._ears.info.batch))

    async def _make(self, out: ObjectSendStream[HearingEvent | Exception]) -> None:
        self._out = out
        async with anyio.create_task_group() as recognising:
            await self._listen(recognising)

    async def _listen(self, recognising: TaskGroup) -> None:
        utterances = Utterances.of(self._ears, self._settings)
        async with aclosing(self._samples(utterances.rate)) as blocks:
            async for samples in blocks:
                await self._take(await utterances.feed(samples), utterances, recognising)
                self._hear_more(utterances, recognising)
                utterances.forget()
        await self._take(await utterances.finish(), utterances, recognising)

    async def _take(self, events: Iterable[Any], utterances: Utterances, recognising: TaskGroup) -> None:
        rate = utterances.rate
        for event in events:
            if isinstance(event, SpeechStarted):
                self._line.append(_Utterance(event.start / rate, heard=event.start))
                await self._tell(self._line[-1], UtteranceStarted(event.start / rate))
            elif isinstance(event, SpeechEnded):
                ended = self._line[-1]
                ended.ended = True
                await self._tell(ended, UtteranceEnded(event.start / rate, event.end / rate))
                samples = utterances.tape.samples(event.start, event.end)
                await self._room.acquire_on_behalf_of(ended)
                recognising.start_soon(self._finish, ended, samples)

    def _hear_more(self, utterances: Utterances, recognising: TaskGroup) -> None:
        """Make a partial transcript, if there is enough that is new."""
        if utterances.begun is None or not self._partial:
            return
        current, end = self._line[-1], utterances.tape.end
        wanted = max(SOONEST, self._pace / SHARE)
        if not current.running and end - current.heard >= wanted * utterances.rate:
            current.running, current.heard = True, end
            samples = utterances.tape.samples(utterances.begun, end)
            recognising.start_soon(self._hear_part, current, samples)

    async def _hear_part(self, utterance: _Utterance, samples: NDArray[np.float32]) -> None:
        began = anyio.current_time()
        segment, _ = await self._ears.recognize(samples, utterance.start, self._language, self._priority)
        self._pace, utterance.running = anyio.current_time() - began, False
        if not utterance.ended and segment.text:
            await self._tell(utterance, PartialTranscript(*utterance.partials.feed(segment.text), utterance.start))

    async def _finish(self, utterance: _Utterance, samples: NDArray[np.float32]) -> None:
        try:
            segment, language = await self._ears.recognize(samples, utterance.start, self._language, self._priority)
        finally:
            self._room.release_on_behalf_of(utterance)
        await self._tell(utterance, FinalTranscript(segment, language))

    async def _tell(self, utterance: _Utterance, event: HearingEvent) -> None:
        """Give the event out, once those of all utterances before it have been."""
        utterance.waiting.append(event)
        async with self._telling:
            while self._line and self._line[0].waiting:
                ready = self._line[0].waiting.popleft()
                if isinstance(ready, FinalTranscript):
                    self._line.popleft()
                await self._out.send(ready)

    # -- what comes in -------------------------------------------------------------------------------------------------

    async def _samples(self, rate: int) -> AsyncGenerator[NDArray[np.float32], None]:
        """What the frames hold, at the recogniser's rate."""
        resampler: Resampler | None = None
        async with aclosing(each(self._frames)) as frames:
            async for frame in frames:
                resampler = resampler or Resampler(_rate(frame), rate)
                if resampler.from_rate != _rate(frame):
                    raise UnsupportedInput(
                        f"A stream of audio has one rate; it was {resampler.from_rate}, and now it is {frame.rate}."
                    )
                yield resampler.feed(checked_samples(frame.samples))
        if resampler is not None:
            yield resampler.finish()


def _rate(frame: Any) -> int:
    if not isinstance(frame, AudioFrame):
        raise UnsupportedInput(
            f"A stream of audio is made of sauropod.AudioFrame(samples, rate); got {type(frame).__name__}."
        )
    return frame.rate


async def each(frames: Frames) -> AsyncGenerator[Any, None]:
    """The frames one by one. An iterable that is not asynchronous may block, so it is asked in a thread."""
    if isinstance(frames, AsyncIterable):
        async with closing(frames):
            async for frame in frames:
                yield frame
        return
    if not isinstance(frames, Iterable):
        raise UnsupportedInput(f"A stream of audio is an iterable of AudioFrames; got {type(frames).__name__}.")
    async with aclosing(in_thread(frames)) as given:
        async for frame in given:
            yield frame
