"""Where to cut a long recording into clips: between utterances, and never in a word if there is any silence to be had.

A recogniser gains from clips that are long and about as long as each other, and takes none that are too long. So
utterances that follow each other closely are joined as long as they fit into a clip, and an utterance that fits into
none is cut at its deepest silence: where speech was least likely, and of such places where it was least loud.
Nothing is kept but the frames of the clip that is being filled: ten hours take the memory of half a minute.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from sauropod._speech.endpointer import (
    Endpointer,
    EndpointEvent,
    EndpointSettings,
    SpeechEnded,
    SpeechStarted,
    State,
)
from sauropod._values.checks import number
from sauropod.errors import UnsupportedInput

__all__ = ["CutSettings", "Cutter", "Stretch", "cut"]

NEARLY = 0.05
"""Probabilities that differ by less are equal: what is less loud decides."""
AROUND = 2
"""Frames to each side of a place that say how likely and how loud speech is there."""


@attrs.frozen
class Stretch:
    """A clip's place in the recording, in samples."""

    start: int
    end: int


@attrs.frozen(kw_only=True)
class CutSettings:
    """How clips are cut. Raises `UnsupportedInput` for what makes no sense."""

    max_seconds: float = attrs.field(default=30.0, validator=number(UnsupportedInput, 1, 3600, optional=False))
    """The longest clip."""
    join_seconds: float = attrs.field(default=1.0, validator=number(UnsupportedInput, 0, 3600, optional=False))
    """The longest silence within a clip."""
    endpoints: EndpointSettings = attrs.field(
        factory=lambda: EndpointSettings(prefix_seconds=0.2, tail_seconds=0.2, silence_seconds=0.3)
    )
    """What an utterance is. Their own `max_seconds` does not count here."""


@attrs.define
class Cutter:
    """Goes through one recording. However its frames are divided between calls, the clips are the same.

    `frame` is the samples that a probability stands for, `rate` samples a second.
    """

    settings: CutSettings
    frame: int
    rate: int
    _endpointer: Endpointer = attrs.field(init=False)
    _longest: int = attrs.field(init=False)
    """Samples of the longest clip."""
    _open: Stretch | None = attrs.field(init=False, default=None)
    """Utterances that are over, and wait for others to join them."""
    _begun: int | None = attrs.field(init=False, default=None)
    """Where the utterance that goes on begins, or what is left of it after a cut."""
    _frames: list[tuple[float, float]] = attrs.field(init=False, factory=list)
    """How likely and how loud speech was in the last frames."""

    def __attrs_post_init__(self) -> None:
        settings = attrs.evolve(self.settings.endpoints, max_seconds=None)
        self._endpointer = Endpointer(settings, self.frame, self.rate)
        self._longest = max(4 * AROUND * self.frame, self._samples(self.settings.max_seconds))

    def feed(self, probabilities: Iterable[float], levels: Iterable[float] | None = None) -> list[Stretch]:
        """The clips that are certain after the next frames.

        `levels` are how loud each of them is, in any unit that grows with loudness, if that is known.
        """
        likely = list(probabilities)
        loud = [0.0] * len(likely) if levels is None else list(levels)
        if len(loud) != len(likely):
            raise UnsupportedInput(f"There are {len(loud)} levels for {len(likely)} probabilities.")
        return [stretch for frame in zip(likely, loud, strict=True) for stretch in self._step(frame)]

    def finish(self) -> list[Stretch]:
        """The last clips. Nothing may be fed afterwards."""
        return [*self._followed(self._endpointer.finish()), *self._close()]

    # -- one frame -----------------------------------------------------------------------------------------------------

    def _step(self, frame: tuple[float, float]) -> list[Stretch]:
        self._remember(frame)
        found = self._followed(self._endpointer.feed(frame[:1]))
        now = self._endpointer.end
        if self._begun is not None:
            if now + self.frame - self._begun > self._longest:
                where = self._deepest(self._begun)
                found += self._add(self._begun, where)
                self._begun = where
        elif self._open is not None and self._endpointer.state is State.QUIET:
            prefix = self._samples(self.settings.endpoints.prefix_seconds)
            if now - prefix - self._open.end > self._samples(self.settings.join_seconds):
                found += self._close()
        return found

    def _followed(self, events: Iterable[EndpointEvent]) -> list[Stretch]:
        found: list[Stretch] = []
        for event in events:
            if isinstance(event, SpeechStarted):
                self._begun = event.start
            elif isinstance(event, SpeechEnded) and self._begun is not None:
                if event.end > self._begun:  # else a cut was made in the silence after its last word
                    found += self._add(self._begun, event.end)
                self._begun = None
        return found

    def _add(self, start: int, end: int) -> list[Stretch]:
        """An utterance, or part of one. It joins what is open if it may; else that is a clip."""
        near = self._open is not None and start - self._open.end <= self._samples(self.settings.join_seconds)
        if self._open is not None and near and end - self._open.start <= self._longest:
            self._open = Stretch(self._open.start, end)
            return []
        found = self._close()
        self._open = Stretch(start, end)
        return found

    def _close(self) -> list[Stretch]:
        found = [] if self._open is None else [self._open]
        self._open = None
        return found

    # -- the deepest silence -------------------------------------------------------------------------------------------

    def _remember(self, frame: tuple[float, float]) -> None:
        enough = self._longest // self.frame + 2 * AROUND + 2
        self._frames.append(frame)
        if len(self._frames) > 2 * enough:
            del self._frames[:-enough]

    def _deepest(self, begun: int) -> int:
        """The sample in the second half of a clip that begins at `begun` where a cut does least harm."""
        first = self._endpointer.end // self.frame - len(self._frames)
        low = -(-(begun + self._longest // 2) // self.frame) - first
        high = (begun + self._longest) // self.frame - first
        places = range(max(low, 1), min(high, len(self._frames) - 1) + 1)
        unlikely = {at: self._mean(at, 0) for at in places}
        least = min(unlikely.values())
        best = min((at for at in places if unlikely[at] <= least + NEARLY), key=lambda at: (self._mean(at, 1), -at))
        return (first + best) * self.frame

    def _mean(self, at: int, which: int) -> float:
        """Of the frames around the beginning of one."""
        near = self._frames[max(0, at - AROUND) : at + AROUND]
        return sum(frame[which] for frame in near) / len(near)

    def _samples(self, seconds: float) -> int:
        return round(seconds * self.rate)


def cut(
    probabilities: Iterable[float],
    frame: int,
    rate: int,
    *,
    levels: Iterable[float] | None = None,
    settings: CutSettings | None = None,
) -> list[Stretch]:
    """The clips of a whole recording."""
    cutter = Cutter(settings or CutSettings(), frame, rate)
    return [*cutter.feed(probabilities, levels), *cutter.finish()]
