"""What a transcriber hears with: a recogniser, and what tells it where somebody speaks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

import anyio
import attrs

from sauropod._detector import DetectorStream
from sauropod._handles import GRACE, SpeechHandle
from sauropod._speech.endpointer import (
    Endpointer,
    EndpointEvent,
    EndpointSettings,
    SpeechEnded,
    SpeechStarted,
)
from sauropod._speech.tape import Tape
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Clip, Recognized, Segment, SpeechInfo, Word

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Ears", "Utterances"]

LONGEST = 20.0
"""Seconds of one clip, unless the recogniser takes less: longer ones cost attention more than they bring context."""
QUIETEST = 0.05
"""The level, of 1, that counts as half loud where no detector tells what speech is."""


class Recogniser(Protocol):
    """What turns clips into words: a model in a worker, or a language model that is asked to."""

    @property
    def info(self) -> SpeechInfo: ...

    async def compute(self, items: Sequence[Any], priority: Priority) -> Sequence[Any]:
        """What is `Recognized` in each `Clip`, in their order."""

    async def aclose(self) -> None: ...


@attrs.define(eq=False)
class Ears:
    """A recogniser and, if there are any, detectors."""

    recognizer: Recogniser
    detector: SpeechHandle | None
    turns: SpeechHandle | None = None
    """What judges whether somebody has finished, from how it sounds."""

    @property
    def info(self) -> SpeechInfo:
        return self.recognizer.info

    @property
    def longest(self) -> float:
        """Seconds of audio that are recognised at once, at most."""
        return min(self.info.max_seconds or LONGEST, LONGEST)

    async def recognize(
        self, samples: NDArray[np.float32], start: float, language: str | None, priority: Priority
    ) -> tuple[Segment, str | None]:
        """What is said in a clip that begins at `start` seconds, and in which language."""
        heard: Recognized
        (heard,) = await self.recognizer.compute([Clip(samples, language)], priority)
        return segment(heard, start, len(samples) / self.info.sample_rate), heard.language

    async def ends_turn(self, samples: NDArray[np.float32]) -> float:
        """How likely it is, from 0 to 1, that whoever said this has finished. Only for ears that can judge turns."""
        assert self.turns is not None
        probability: float
        (probability,) = await self.turns.compute([Clip(samples)], Priority.HEARING)
        return probability

    async def aclose(self) -> None:
        """Give all back, also if one fails or this is cancelled."""
        try:
            await self.recognizer.aclose()
        finally:
            for other in (self.detector, self.turns):
                if other is not None:
                    with anyio.move_on_after(GRACE, shield=True):
                        await other.aclose()


def segment(heard: Recognized, start: float, duration: float) -> Segment:
    """What was heard in a clip, in the time of the stream. It lasts from its first word to its last."""
    words = tuple(Word(word.text, word.start + start, word.end + start, word.confidence) for word in heard.words)
    if not words:
        return Segment(heard.text, start, start + duration)
    return Segment(heard.text, words[0].start, words[-1].end, words)


@attrs.define(eq=False)
class Utterances:
    """One stream: where somebody speaks in it, and the samples of what is being said.

    Events count in samples at the recogniser's rate.
    """

    settings: EndpointSettings
    rate: int
    detector: DetectorStream | None
    endpointer: Endpointer
    scale: float
    """The recogniser's rate by the detector's."""
    tape: Tape = attrs.field(factory=Tape)
    begun: int | None = None
    """Where the utterance began that is being said."""
    finished: bool = False

    @classmethod
    def of(cls, ears: Ears, settings: EndpointSettings, start: int = 0) -> Utterances:
        """`start` is how many samples there were before."""
        rate = ears.info.sample_rate
        longest = min(settings.max_seconds or ears.longest, ears.longest)
        settings = attrs.evolve(settings, max_seconds=longest)
        if ears.detector is None:
            frame = rate // 50
            return cls(settings, rate, None, Endpointer(settings, frame, rate, start), 1.0, Tape.beginning(start))
        stream = DetectorStream(ears.detector, rate)
        heard = ears.detector.info
        scale = rate / heard.sample_rate
        endpointer = Endpointer(settings, heard.frame, heard.sample_rate, round(start / scale))
        return cls(settings, rate, stream, endpointer, scale, Tape.beginning(start))

    async def feed(self, samples: NDArray[np.float32]) -> list[EndpointEvent]:
        """Take in the next samples, float32 [n]."""
        self.tape.append(samples)
        found = self.endpointer.feed(await self._probabilities(samples, last=False))
        return self._placed(found)

    async def finish(self) -> list[EndpointEvent]:
        """Nothing more will come."""
        import numpy as np

        found = self.endpointer.feed(await self._probabilities(np.zeros(0, np.float32), last=True))
        self.finished = True
        return self._placed([*found, *self.endpointer.finish()])

    def end_now(self) -> list[EndpointEvent]:
        """End the utterance that is being said, if there is one."""
        return self._placed(self.endpointer.end_now())

    def skip(self) -> None:
        """Nothing of what was heard so far belongs to an utterance."""
        self.endpointer.skip()
        self.begun = None

    @property
    def settled(self) -> int:
        """The sample before which no utterance can begin or go on any more."""
        if self.finished:
            return self.tape.end
        unsettled = self.settings.prefix_seconds + self.settings.min_speech_seconds
        known = max(0, round(self.endpointer.end * self.scale) - round(unsettled * self.rate))
        return known if self.begun is None else min(self.begun, known)

    def forget(self) -> None:
        """Let go of what nobody can ask for any more."""
        self.tape.forget(self.settled - self.rate)

    def _placed(self, events: Sequence[EndpointEvent]) -> list[EndpointEvent]:
        placed: list[EndpointEvent] = []
        for event in events:
            if self.scale != 1:
                changes = {
                    field.name: round(getattr(event, field.name) * self.scale) for field in attrs.fields(type(event))
                }
                event = attrs.evolve(event, **changes)
            if isinstance(event, SpeechStarted):
                self.begun = event.start
            elif isinstance(event, SpeechEnded):
                self.begun = None
            placed.append(event)
        return placed

    async def _probabilities(self, samples: NDArray[np.float32], *, last: bool) -> NDArray[np.float32]:
        if self.detector is None:
            return self._loudness(last)
        return await (self.detector.finish() if last else self.detector.feed(samples))

    def _loudness(self, last: bool) -> NDArray[np.float32]:
        """Without a detector all is speech, and what is too long is cut where it is least loud."""
        import numpy as np

        frame, begun = self.endpointer.frame, self.endpointer.start
        there = self.tape.end - begun
        whole = -(-there // frame) if last else there // frame
        samples = self.tape.samples(self.endpointer.end, begun + whole * frame)
        levels = np.sqrt(np.mean(np.pad(samples, (0, -len(samples) % frame)).reshape(-1, frame) ** 2, axis=1))
        floor = self.settings.threshold
        louder: NDArray[np.float32] = (floor + (1 - floor) * levels / (levels + QUIETEST)).astype(np.float32)
        return louder
