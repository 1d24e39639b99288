"""From the probability of speech in each frame to utterances: a table of states, and time counted in samples.

    probability   ▁▁▂▅▇█▇█▆▇█▂▁▁▁▁▁▁▁▁▁▁▁
    event               Started   Paused   Ended
    utterance      [prefix|speech|tail]

A frame is speech from `threshold` on, and goes on being speech down to `release`. What is shorter than
`min_speech_seconds` starts nothing, and does not interrupt a silence either. A silence of `pause_seconds` is a hint
that the utterance may be over, to begin what takes time; after `silence_seconds` it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from typing import TypeAlias

import attrs

from sauropod._values.checks import number
from sauropod.errors import UnsupportedInput

__all__ = [
    "EndpointEvent",
    "EndpointSettings",
    "Endpointer",
    "SpeechEnded",
    "SpeechPaused",
    "SpeechResumed",
    "SpeechStarted",
]

_share = number(UnsupportedInput, 0, 1, optional=False)
_seconds = number(UnsupportedInput, 0, 3600, optional=False)


@attrs.frozen(kw_only=True)
class EndpointSettings:
    """When speech begins and ends. Raises `UnsupportedInput` for what makes no sense."""

    threshold: float = attrs.field(default=0.5, validator=_share)
    """The probability from which on a frame is speech."""
    release: float = attrs.field(
        default=attrs.Factory(lambda own: max(own.threshold - 0.15, own.threshold / 2), takes_self=True),
        validator=_share,
    )
    """The probability below which speech stops. By default a little under `threshold`."""
    prefix_seconds: float = attrs.field(default=0.3, validator=_seconds)
    """What an utterance has of the sound before its first frame of speech."""
    tail_seconds: float = attrs.field(default=0.1, validator=_seconds)
    """What it has of the sound after its last, if so much silence follows."""
    pause_seconds: float = attrs.field(default=0.2, validator=_seconds)
    silence_seconds: float = attrs.field(default=0.5, validator=_seconds)
    min_speech_seconds: float = attrs.field(default=0.1, validator=_seconds)
    max_seconds: float | None = attrs.field(default=None, validator=number(UnsupportedInput, 1, 86_400))
    """The longest utterance. One that would be longer is cut in two where speech is least likely."""

    @release.validator
    def _below_the_threshold(self, _: attrs.Attribute[float], value: float) -> None:
        if value > self.threshold:
            raise UnsupportedInput(f"release must be at most threshold ({self.threshold:g}); got {value:g}.")


@attrs.frozen
class SpeechStarted:
    """An utterance has begun."""

    start: int
    """Its first sample, the prefix included; never before the end of the utterance before."""


@attrs.frozen
class SpeechPaused:
    """Silence for `pause_seconds`: the utterance may be over."""

    start: int
    end: int
    """Where it ends if it is."""


@attrs.frozen
class SpeechResumed:
    """It was not over."""

    start: int
    """The first sample of what goes on."""


@attrs.frozen
class SpeechEnded:
    """The utterance is over."""

    start: int
    end: int
    """The sample after its last, the tail included."""


EndpointEvent: TypeAlias = SpeechStarted | SpeechPaused | SpeechResumed | SpeechEnded


class State(Enum):
    """Where a stream is."""

    QUIET = auto()
    RISING = auto()
    """Speech, but not for long enough yet."""
    SPEAKING = auto()
    PAUSED = auto()
    RETURNING = auto()
    """Speech after a pause, but not for long enough yet."""


class Sign(Enum):
    """What a frame says, with those before it."""

    SPEECH = auto()
    LASTING = auto()
    """Speech for `min_speech_seconds`."""
    SILENCE = auto()
    PAUSE = auto()
    """Silence for `pause_seconds`."""
    END = auto()
    """Silence for `silence_seconds`."""


@attrs.define
class Endpointer:
    """Goes through one stream. However its probabilities are divided between calls, the events are the same.

    `frame` is the samples that a probability stands for, `rate` samples a second, and `start` the sample at which the
    first frame begins.
    """

    settings: EndpointSettings
    frame: int
    rate: int
    start: int = 0
    state: State = attrs.field(init=False, default=State.QUIET)
    _frames: int = attrs.field(init=False, default=0)
    """Those that have been fed."""
    _run: int = attrs.field(init=False, default=0)
    """How many of the last are speech."""
    _last: int = attrs.field(init=False, default=0)
    """The frame after the last of speech in this utterance."""
    _begin: int = attrs.field(init=False, default=0)
    """The utterance's first sample."""
    _free: int = attrs.field(init=False)
    """The first sample that is in no utterance yet."""
    _kept: list[float] = attrs.field(init=False, factory=list)
    """The last probabilities, where utterances may have to be cut."""
    _finished: bool = attrs.field(init=False, default=False)

    _least: int = attrs.field(init=False)
    _pause: int = attrs.field(init=False)
    _silence: int = attrs.field(init=False)
    _longest: int | None = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if self.frame < 1 or self.rate < 1:
            raise UnsupportedInput(f"A frame has samples, and a second too; got {self.frame} and {self.rate}.")
        settings = self.settings
        self._free = self.start
        self._least, self._pause, self._silence = (
            max(1, -(-self._samples(seconds) // self.frame))
            for seconds in (settings.min_speech_seconds, settings.pause_seconds, settings.silence_seconds)
        )
        self._longest = None if settings.max_seconds is None else self._samples(settings.max_seconds)

    @property
    def end(self) -> int:
        """The sample up to which the stream is known."""
        return self.start + self._frames * self.frame

    def feed(self, probabilities: Iterable[float]) -> list[EndpointEvent]:
        """What the next frames say. Raises `RuntimeError` after `finish`."""
        if self._finished:
            raise RuntimeError("The stream has ended; a new one needs a new Endpointer.")
        events: list[EndpointEvent] = []
        for probability in probabilities:
            events += self._step(probability)
        return events

    def finish(self) -> list[EndpointEvent]:
        """The stream is over, and with it an utterance that is not. Nothing may be fed afterwards."""
        self._finished = True
        if self.state in (State.QUIET, State.RISING):
            return []
        self.state = State.QUIET
        return self._ended()

    def end_now(self) -> list[EndpointEvent]:
        """End an utterance that is being said, if there is one: whoever listens knows better. The stream goes on."""
        if self.state in (State.QUIET, State.RISING):
            return []
        self.state, self._run = State.QUIET, 0
        return self._ended()

    def skip(self) -> None:
        """Nothing of what was heard so far belongs to an utterance. The stream goes on."""
        self.state, self._run, self._free = State.QUIET, 0, max(self._free, self.end)

    # -- one frame -----------------------------------------------------------------------------------------------------

    def _step(self, probability: float) -> list[EndpointEvent]:
        floor = self.settings.release if self._run else self.settings.threshold
        self._run = self._run + 1 if probability >= floor else 0
        self._frames += 1
        self.state, act = TABLE[self.state, self._sign()]
        events = act(self)
        return events if self._longest is None else events + self._limited(probability, self._longest)

    def _sign(self) -> Sign:
        if self._run:
            return Sign.LASTING if self._run >= self._least else Sign.SPEECH
        silent = self._frames - self._last
        if silent >= self._silence:
            return Sign.END
        return Sign.PAUSE if silent >= self._pause else Sign.SILENCE

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.rate)

    @property
    def _over(self) -> int:
        """Where the utterance ends if no speech follows."""
        tail = self._samples(min(self.settings.tail_seconds, self.settings.silence_seconds))
        over = min(self.start + self._last * self.frame + tail, self.end)
        return over if self._longest is None else min(over, self._begin + self._longest)

    # -- what is done --------------------------------------------------------------------------------------------------

    def _nothing(self) -> list[EndpointEvent]:
        return []

    def _goes_on(self) -> list[EndpointEvent]:
        self._last = self._frames
        return []

    def _started(self) -> list[EndpointEvent]:
        self._last = self._frames
        onset = self.end - self._run * self.frame
        self._begin = max(onset - self._samples(self.settings.prefix_seconds), self._free)
        return [SpeechStarted(self._begin)]

    def _paused(self) -> list[EndpointEvent]:
        return [SpeechPaused(self._begin, self._over)]

    def _resumed(self) -> list[EndpointEvent]:
        self._last = self._frames
        return [SpeechResumed(self.end - self._run * self.frame)]

    def _ended(self) -> list[EndpointEvent]:
        self._free = self._over
        return [SpeechEnded(self._begin, self._over)]

    # -- utterances that are too long ----------------------------------------------------------------------------------

    def _limited(self, probability: float, longest: int) -> list[EndpointEvent]:
        """End an utterance that one frame more would make too long: where speech is least likely in its second half."""
        self._kept.append(probability)
        frames = longest // self.frame + self._silence + self._least
        if len(self._kept) > 2 * frames:
            del self._kept[:-frames]
        if self.state is not State.SPEAKING or self.end + self.frame - self._begin <= longest:
            return []
        begun, known = self._begin - self.start, self._frames - len(self._kept)
        first, limit = -(-(begun + longest // 2) // self.frame), (begun + longest) // self.frame
        chances = range(max(first, known), min(limit + 1, self._last))
        if not chances:  # all the rest is silence
            self.state = State.QUIET
            return self._ended()
        lowest = min(chances, key=lambda at: (self._kept[at - known], -at))
        ended = SpeechEnded(self._begin, self.start + lowest * self.frame)
        self._begin = self._free = ended.end
        return [ended, SpeechStarted(ended.end)]


_Action: TypeAlias = Callable[[Endpointer], list[EndpointEvent]]

TABLE: Mapping[tuple[State, Sign], tuple[State, _Action]] = {
    (State.QUIET, Sign.SPEECH): (State.RISING, Endpointer._nothing),
    (State.QUIET, Sign.LASTING): (State.SPEAKING, Endpointer._started),
    (State.QUIET, Sign.SILENCE): (State.QUIET, Endpointer._nothing),
    (State.QUIET, Sign.PAUSE): (State.QUIET, Endpointer._nothing),
    (State.QUIET, Sign.END): (State.QUIET, Endpointer._nothing),
    (State.RISING, Sign.SPEECH): (State.RISING, Endpointer._nothing),
    (State.RISING, Sign.LASTING): (State.SPEAKING, Endpointer._started),
    (State.RISING, Sign.SILENCE): (State.QUIET, Endpointer._nothing),
    (State.RISING, Sign.PAUSE): (State.QUIET, Endpointer._nothing),
    (State.RISING, Sign.END): (State.QUIET, Endpointer._nothing),
    (State.SPEAKING, Sign.SPEECH): (State.SPEAKING, Endpointer._goes_on),
    (State.SPEAKING, Sign.LASTING): (State.SPEAKING, Endpointer._goes_on),
    (State.SPEAKING, Sign.SILENCE): (State.SPEAKING, Endpointer._nothing),
    (State.SPEAKING, Sign.PAUSE): (State.PAUSED, Endpointer._paused),
    (State.SPEAKING, Sign.END): (State.QUIET, Endpointer._ended),
    (State.PAUSED, Sign.SPEECH): (State.RETURNING, Endpointer._nothing),
    (State.PAUSED, Sign.LASTING): (State.SPEAKING, Endpointer._resumed),
    (State.PAUSED, Sign.PAUSE): (State.PAUSED, Endpointer._nothing),
    (State.PAUSED, Sign.END): (State.QUIET, Endpointer._ended),
    (State.RETURNING, Sign.SPEECH): (State.RETURNING, Endpointer._nothing),
    (State.RETURNING, Sign.LASTING): (State.SPEAKING, Endpointer._resumed),
    (State.RETURNING, Sign.PAUSE): (State.PAUSED, Endpointer._nothing),
    (State.RETURNING, Sign.END): (State.QUIET, Endpointer._ended),
}
"""What comes next, and what is done. After a pause no frame can say SILENCE: a pause is longer than that."""
