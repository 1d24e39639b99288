"""Listening: the user's audio as it comes in, and what the endpointer and the recogniser say of it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING

import anyio
import attrs
from anyio.abc import TaskGroup

from sauropod._ears import Ears, Utterances
from sauropod._hearing import SHARE, SOONEST
from sauropod._session.settings import TurnTaking
from sauropod._session.user_turn import Guess, UserTurn
from sauropod._speech.endpointer import EndpointEvent, EndpointSettings, SpeechEnded
from sauropod._speech.resampler import Resampler
from sauropod._speech.tape import Tape
from sauropod._values.audio import AudioFrame
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Segment

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Listening"]

KEPT = 300.0
"""Seconds of audio that wait to be taken in, at most, where the application says when a turn is over."""
REMEMBERED = 30.0
"""Seconds of audio of which it is remembered when they came in."""


@attrs.define(eq=False)
class Listening:
    """One session's ears. Samples count at the recogniser's rate."""

    ears: Ears
    tasks: TaskGroup
    language: str | None = None
    _utterances: Utterances | None = None
    """None while nobody listens for speech."""
    _tape: Tape = attrs.field(factory=Tape)
    """What there is of the audio, while nobody listens for speech."""
    _resampler: Resampler | None = None
    _arrivals: deque[tuple[int, float]] = attrs.field(factory=deque)
    _free: int = 0
    """The first sample that is in no turn yet."""

    @property
    def rate(self) -> int:
        return self.ears.info.sample_rate

    @property
    def tape(self) -> Tape:
        return self._tape if self._utterances is None else self._utterances.tape

    @property
    def speaking(self) -> bool:
        """Whether an utterance is being said, or has only paused."""
        return self._utterances is not None and self._utterances.begun is not None

    @property
    def now(self) -> int:
        """How many samples there have been."""
        return self.tape.end

    def configure(self, turns: TurnTaking | None) -> None:
        """Listen like this from now on. What is being said is let go of."""
        end = self.now
        self._free = end
        if turns is None:
            self._utterances, self._tape = None, Tape.beginning(end)
            return
        settings = turns.endpoint
        if turns.patience is not None:
            settings = attrs.evolve(settings, silence_seconds=max(turns.patience, settings.pause_seconds))
        self._utterances = Utterances.of(self.ears, settings, end)

    async def feed(self, frame: AudioFrame) -> list[EndpointEvent]:
        """Take in what comes next: checked audio, always at the same rate."""
        self._resampler = self._resampler or Resampler(frame.rate, self.rate)
        samples = self._resampler.feed(frame.samples)
        if self._utterances is None:
            self._tape.append(samples)
            self._tape.forget(self._tape.end - round(KEPT * self.rate))
            self._arrived()
            return []
        events = await self._utterances.feed(samples)
        self._arrived()
        return events

    def forget(self, before: int) -> None:
        """Let go of audio that nobody can ask for, of which none is from this sample on."""
        if self._utterances is not None:
            self._utterances.tape.forget(min(before, self._utterances.settled) - self.rate)

    def arrival(self, sample: int) -> float:
        """When this sample came in, by the clock."""
        at = 0.0
        for end, at in self._arrivals:  # noqa: B007 (the last one, if none is late enough)
            if end >= sample:
                break
        return at

    def end_now(self) -> list[EndpointEvent]:
        """The utterance that is being said is over, because somebody says so."""
        return [] if self._utterances is None else self._utterances.end_now()

    def samples(self, start: int, end: int) -> NDArray[np.float32]:
        """Those that are still there: float32 [n], a copy."""
        return self.tape.samples(start, end)

    def skip(self) -> None:
        """Nothing of the audio so far belongs to what is said from now on."""
        self.taken(self.now)
        if self._utterances is not None:
            self._utterances.skip()

    def taken(self, end: int) -> None:
        """All before this sample belongs to a turn."""
        self._free = max(self._free, end)

    def loose(self) -> tuple[int, int]:
        """The audio that is in no turn: its first sample, and the one after its last."""
        return max(self._free, self.tape.start), self.tape.end

    # -- recognising ---------------------------------------------------------------------------------------------------

    def guess(self, turn: UserTurn, end: int) -> Guess:
        """Begin to recognise the turn's last part, up to this sample."""
        return self.recognise(self.samples(turn.begun, end), turn.begun)

    def recognise(self, samples: NDArray[np.float32], start: int) -> Guess:
        """Begin to recognise what is said in samples of which the first is that one."""
        guess = Guess(start + len(samples))
        self.tasks.start_soon(self._recognise, guess, samples, start)
        return guess

    def recognise_parts(self, parts: Sequence[NDArray[np.float32]]) -> Guess:
        """Begin to recognise what is said in samples that are no part of the session's audio."""
        import numpy as np

        return self.recognise(np.concatenate(parts), 0)

    def hears_more(self, turn: UserTurn, pace: float) -> bool:
        """Whether there is enough that is new for another partial transcript; `pace` is what the last one took."""
        wanted = max(SOONEST, pace / SHARE)
        return not turn.hearing and self.now - max(turn.heard, turn.begun) >= wanted * self.rate

    async def _recognise(self, guess: Guess, samples: NDArray[np.float32], start: int) -> None:
        began = anyio.current_time()
        try:
            with guess.scope:
                segments = [
                    await self.ears.recognize(clip, at / self.rate, self.language, Priority.HEARING)
                    for clip, at in await self._clips(samples, start)
                ]
                guess.language = segments[0][1] if segments else None
                guess.segment = _joined([segment for segment, _ in segments], start / self.rate)
        except Exception as error:
            guess.error = error
        finally:
            guess.seconds = anyio.current_time() - began
            guess.known.set()

    async def _clips(self, samples: NDArray[np.float32], start: int) -> list[tuple[NDArray[np.float32], int]]:
        """The samples in clips, each with its first one's place: what is too long for one is cut at its silences."""
        if len(samples) <= self.ears.longest * self.rate:
            return [(samples, start)]
        utterances = Utterances.of(self.ears, EndpointSettings())
        clips, events = list[tuple["NDArray[np.float32]", int]](), list[EndpointEvent]()
        for at in range(0, len(samples), self.rate):
            events += await utterances.feed(samples[at : at + self.rate])
        events += await utterances.finish()
        for event in events:
            if isinstance(event, SpeechEnded):
                clips.append((samples[event.start : event.end], start + event.start))
        return clips

    # -- inside --------------------------------------------------------------------------------------------------------

    def _arrived(self) -> None:
        self._arrivals.append((self.now, anyio.current_time()))
        while self._arrivals[0][0] < self.now - REMEMBERED * self.rate:
            self._arrivals.popleft()


def _joined(segments: Sequence[Segment], start: float) -> Segment:
    """Several as one."""
    if len(segments) == 1:
        return segments[0]
    said = [segment for segment in segments if segment.text]
    if not said:
        return Segment("", start, start)
    words = tuple(word for segment in said for word in segment.words)
    return Segment(" ".join(segment.text for segment in said), said[0].start, said[-1].end, words)
