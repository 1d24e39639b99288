"""Ears and mouths made of arithmetic: what the fake voice says, the fake recogniser hears, letter by letter.

A letter is 20 ms of a constant level, so any lost, moved or mixed-up sample is a wrong letter. As strict about their
contract as real ones are fragile.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from sauropod._speech.blending import check_voices
from sauropod._values.info import Placement
from sauropod.abc import (
    Clip,
    Detected,
    Heard,
    Mark,
    Phrase,
    Recognized,
    Recognizer,
    SpeechInfo,
    SpeechKind,
    Spoken,
    Synthesizer,
    TurnDetector,
    VoiceDetector,
    Word,
)
from sauropod.errors import BackendError, UnsupportedInput
from sauropod.testing.violation import require

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "FakeRecognizer",
    "FakeSpeechOptions",
    "FakeSynthesizer",
    "FakeTurnDetector",
    "FakeVoiceDetector",
    "speech_of",
]

LETTER = 0.02
"""Seconds of one letter."""
LOWEST, STEP = 0.1, 0.008
"""The level of a space, and how far the levels of two letters are apart."""
TAIL = 0.1
"""Seconds of silence after a phrase."""
HEARING, SPEAKING = 16_000, 24_000

Prepared = TypeVar("Prepared")


@attrs.frozen(kw_only=True)
class FakeSpeechOptions:
    """What to imitate, and which faults to have. A `FakeBackend` takes them as `options=`."""

    batch: int = attrs.field(default=4, validator=attrs.validators.ge(1))
    max_seconds: float = 30.0
    seconds: float = 0.0
    """How long a batch takes."""
    fails_on: str = ""
    """Text; a batch in which it is said fails."""
    crash_on: str = ""
    """Text; a batch in which it is said kills the process."""


@attrs.frozen
class _Ready:
    """What `prepare` made of an item."""

    item: Any


@attrs.define(eq=False)
class _Fake:
    """What all of them have in common."""

    options: FakeSpeechOptions = attrs.field(factory=FakeSpeechOptions)
    batches: list[int] = attrs.field(factory=list)
    """How many items each batch had."""
    _thread: int | None = None
    _closed: bool = False

    def close(self) -> None:
        require(not self._closed, "close() was called twice")
        self._closed = True

    def _info(self, kind: SpeechKind, rate: int, frame: int = 0, voices: Sequence[str] = ()) -> SpeechInfo:
        return SpeechInfo(
            name="fake",
            backend="fake",
            architecture="arithmetic",
            kind=kind,
            sample_rate=rate,
            frame=frame,
            voices=voices,
            languages=("en-us",),
            max_seconds=self.options.max_seconds if kind == "recognizer" else 0.0,
            batch=self.options.batch,
            placement=Placement("auto", ("cpu",), 1, 0, 0, 0, 0),
        )

    def _take(self, batch: Sequence[Any]) -> list[Any]:
        """The items of a batch, if it is one that a worker may ask for."""
        require(not self._closed, "a batch came after close()")
        require(
            1 <= len(batch) <= self.options.batch, f"a batch of {len(batch)} came; info.batch is {self.options.batch}"
        )
        require(all(isinstance(each, _Ready) for each in batch), "an item was not prepared")
        self._thread = self._thread or threading.get_ident()
        require(self._thread == threading.get_ident(), "batches came from two threads")
        self.batches.append(len(batch))
        return [each.item for each in batch]

    def _suffer(self, texts: Sequence[str]) -> None:
        """Be slow, fail or die, if that is wanted."""
        from sauropod.testing.fake import die

        threading.Event().wait(self.options.seconds)
        if self.options.crash_on and any(self.options.crash_on in text for text in texts):
            die("a fake fault")
        if self.options.fails_on and any(self.options.fails_on in text for text in texts):
            raise BackendError("the fake model was made to fail on this")


@attrs.define(eq=False)
class FakeRecognizer(_Fake, Recognizer):
    """Hears what `FakeSynthesizer` says."""

    @property
    def info(self) -> SpeechInfo:
        return self._info("recognizer", HEARING, round(LETTER * HEARING))

    def prepare(self, item: Clip) -> _Ready:
        _check_samples(item.samples)
        seconds = len(item.samples) / HEARING
        if seconds > self.options.max_seconds:
            raise UnsupportedInput(
                f"The clip is {seconds:.1f} s long, and at most {self.options.max_seconds} s are heard."
            )
        return _Ready(item)

    def recognize(self, batch: Sequence[Any]) -> Sequence[Recognized]:
        heard = [_hear(item.samples) for item in self._take(batch)]
        self._suffer([each.text for each in heard])
        return heard


@attrs.define(eq=False)
class FakeSynthesizer(_Fake, Synthesizer):
    """Says printable ASCII and leaves out anything else, always at the same speed."""

    @property
    def info(self) -> SpeechInfo:
        return self._info("synthesizer", SPEAKING, voices=("fake", "faker"))

    def prepare(self, item: Phrase) -> _Ready:
        require(abs(sum(item.voice.values()) - 1) < 1e-6, f"the shares of {dict(item.voice)} do not add up to 1")
        check_voices(item.voice, self.info.voices)
        return _Ready(item)

    def synthesize(self, batch: Sequence[Any]) -> Sequence[Spoken]:
        phrases = self._take(batch)
        self._suffer([phrase.text for phrase in phrases])
        return [_say(phrase.text) for phrase in phrases]


@attrs.define(eq=False)
class FakeVoiceDetector(_Fake, VoiceDetector):
    """Sure of speech wherever it is not silent."""

    @property
    def info(self) -> SpeechInfo:
        return self._info("voice_detector", HEARING, round(LETTER * HEARING))

    def prepare(self, item: Heard) -> _Ready:
        if len(item.samples):
            _check_samples(item.samples)
        return _Ready(item)

    def detect(self, batch: Sequence[Any]) -> Sequence[Detected]:
        return [self._detect(item) for item in self._take(batch)]

    def _detect(self, item: Heard) -> Detected:
        import numpy as np

        frame = self.info.frame
        before = item.state if item.state is not None else np.zeros(0, np.float32)
        samples = np.concatenate([before, item.samples])
        if item.last:
            samples = np.pad(samples, (0, -len(samples) % frame))
        whole = len(samples) // frame
        loud = np.abs(samples[: whole * frame].reshape(whole, frame)).mean(axis=1) > LOWEST / 2
        return Detected(loud.astype(np.float32), samples[whole * frame :])


@attrs.define(eq=False)
class FakeTurnDetector(_Fake, TurnDetector):
    """A turn has ended with a full stop."""

    @property
    def info(self) -> SpeechInfo:
        return self._info("turn_detector", HEARING)

    def prepare(self, item: Clip) -> _Ready:
        _check_samples(item.samples)
        return _Ready(item)

    def judge(self, batch: Sequence[Any]) -> Sequence[float]:
        return [float(_hear(item.samples).text.endswith(".")) for item in self._take(batch)]


def speech_of(text: str, rate: int = HEARING) -> NDArray[np.float32]:
    """The samples with which the fakes say a text: float32 [n]."""
    import numpy as np

    levels = [LOWEST + STEP * (ord(letter) - 32) for letter in _sayable(text)]
    return np.repeat(np.array(levels, np.float32), round(LETTER * rate))


def _sayable(text: str) -> str:
    return "".join(letter for letter in text.replace("\n", " ") if " " <= letter <= "~")


def _say(text: str) -> Spoken:
    import numpy as np

    samples = speech_of(text, SPEAKING)
    if not len(samples):
        return Spoken(samples)
    tail = np.zeros(round(TAIL * SPEAKING), np.float32)
    return Spoken(np.concatenate([samples, tail]), (Mark(0, len(text), 0, len(samples)),))


def _hear(samples: NDArray[np.float32]) -> Recognized:
    import numpy as np

    loud = np.flatnonzero(np.abs(samples) > LOWEST / 2)
    if not len(loud):
        return Recognized("")
    length = round(LETTER * HEARING)
    middles = samples[loud[0] + length // 2 : loud[-1] + 1 : length]
    text = "".join(chr(32 + max(0, round((float(level) - LOWEST) / STEP))) for level in middles)  # silence is a space
    words, at = [], 0
    for word in text.split():
        at = text.index(word, at)
        start = int(loud[0]) / HEARING + at * LETTER
        end = min(start + len(word) * LETTER, len(samples) / HEARING)
        words.append(Word(word, start, end, 1.0))
        at += len(word)
    return Recognized(" ".join(text.split()), tuple(words), "en-us")


def _check_samples(samples: Any) -> None:
    import numpy as np

    require(
        isinstance(samples, np.ndarray) and samples.dtype == np.float32 and samples.ndim == 1,
        f"samples are float32 [n]; got {getattr(samples, 'dtype', type(samples))} {getattr(samples, 'shape', '')}",
    )
    if not len(samples) or not np.isfinite(samples).all():
        raise UnsupportedInput("A clip has at least one sample, and all of them are numbers.")
