"""What is heard, what is said, and what is known of a model that hears or says it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from sauropod._values.info import Placement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "Clip",
    "Codes",
    "Detected",
    "FinalTranscript",
    "Heard",
    "HearingEvent",
    "Mark",
    "PartialTranscript",
    "Phrase",
    "Pronounced",
    "Recognized",
    "Segment",
    "SpeechInfo",
    "SpeechKind",
    "SpeechSpan",
    "Spoken",
    "Transcript",
    "UtteranceEnded",
    "UtteranceStarted",
    "Word",
]

SpeechKind: TypeAlias = Literal["recognizer", "synthesizer", "voice_detector", "turn_detector", "audio_codec"]


@attrs.frozen(kw_only=True)
class SpeechInfo:
    """A loaded model that hears or speaks. Sizes are in bytes."""

    name: str
    backend: str
    architecture: str
    """The family of the model, such as `"kokoro"` or `"parakeet-tdt"`."""
    kind: SpeechKind
    sample_rate: int
    """Samples a second of the audio that goes in or comes out."""
    frame: int = 0
    """Samples that one probability of a voice detector, or one time step of a recogniser, stands for."""
    voices: Sequence[str] = ()
    languages: Sequence[str] = ()
    """What it hears or speaks, as BCP-47 tags in small letters; empty where it cannot tell."""
    max_seconds: float = 0.0
    """The longest clip it takes at once; 0 where it sets no limit."""
    batch: int = 1
    """How many items it gains from computing together."""
    parameters: int = 0
    weight_bytes: int = 0
    licence: str = ""
    experimental: bool = False
    placement: Placement | None = None


# -- to and from a recogniser ----------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Clip:
    """A stretch of speech to be recognised, or judged to be a turn's end."""

    samples: NDArray[np.float32]
    """float32 [n], one channel at the model's sample rate."""
    language: str | None = None
    """What it is in, where that is known."""


@attrs.frozen
class Word:
    """A word, and when it was said: seconds from the beginning of the audio."""

    text: str
    start: float
    end: float
    confidence: float = 1.0
    """How sure the recogniser is, from 0 to 1: the least sure of the word's parts counts."""


@attrs.frozen
class Recognized:
    """What a recogniser heard in one clip; times count from its beginning."""

    text: str
    words: Sequence[Word] = ()
    language: str | None = None


@attrs.frozen
class Segment:
    """An utterance: speech between two silences. Seconds from the beginning of the audio."""

    text: str
    start: float
    end: float
    words: Sequence[Word] = ()

    @property
    def confidence(self) -> float:
        """The mean of its words'; 0 for no word."""
        return sum(word.confidence for word in self.words) / len(self.words) if self.words else 0.0


@attrs.frozen
class Transcript:
    """All that was heard in some audio."""

    text: str
    segments: Sequence[Segment] = ()
    language: str | None = None
    duration: float = 0.0
    """Seconds of audio, silence included."""

    @property
    def words(self) -> Sequence[Word]:
        """The words of all segments."""
        return tuple(word for segment in self.segments for word in segment.words)

    @property
    def confidence(self) -> float:
        """The mean of the words'; 0 where none was heard."""
        words = self.words
        return sum(word.confidence for word in words) / len(words) if words else 0.0


@attrs.frozen
class PartialTranscript:
    """An utterance while it is being said."""

    stable: str
    """What two runs of the recogniser agreed on. It is not taken back, though the final transcript may differ."""
    tentative: str
    """What it heard after that, which may change."""
    start: float
    """When the utterance began: seconds from the beginning of the stream."""

    @property
    def text(self) -> str:
        """Both."""
        return f"{self.stable} {self.tentative}".strip()


@attrs.frozen
class FinalTranscript:
    """An utterance that is over."""

    segment: Segment
    language: str | None = None

    @property
    def text(self) -> str:
        return self.segment.text


@attrs.frozen
class UtteranceStarted:
    """Somebody has begun to speak. Seconds from the beginning of the stream, with what was kept from before."""

    start: float


@attrs.frozen
class UtteranceEnded:
    """Nobody speaks any more; the transcript is being made. Seconds from the beginning of the stream."""

    start: float
    end: float


HearingEvent: TypeAlias = UtteranceStarted | PartialTranscript | UtteranceEnded | FinalTranscript


# -- to and from a synthesizer ---------------------------------------------------------------------------------------


@attrs.frozen
class Pronounced:
    """A stretch of a text and how it is said."""

    start: int
    """Where it begins, in characters of the text."""
    end: int
    phonemes: str
    """In the voice's symbols. Punctuation is kept as itself; empty for what is not said."""
    space: bool = False
    """Whether a space comes after it."""


@attrs.frozen
class Phrase:
    """Text to be said in one breath."""

    text: str
    voice: Mapping[str, float]
    """Voices and their shares, which add up to 1. One voice alone is `{"af_heart": 1.0}`."""
    speed: float = 1.0
    """2 is twice as fast."""
    language: str | None = None
    """How to read it, such as `"en-gb"`; None leaves that to the voice."""


@attrs.frozen
class Mark:
    """Which samples say which characters."""

    start: int
    """Where the stretch begins in the text, in characters."""
    end: int
    first: int
    """The first sample that says it."""
    last: int
    """The sample after the last."""


@attrs.frozen(eq=False)
class Spoken:
    """What a synthesizer said."""

    samples: NDArray[np.float32]
    """float32 [n], from -1 to 1, at the model's sample rate."""
    marks: Sequence[Mark] = ()
    """In order, as fine as the model can tell; together they cover what was said."""


# -- to and from a voice detector ------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Heard:
    """The next samples of a stream in which speech is looked for."""

    samples: NDArray[np.float32]
    """float32 [n], any n, at the model's sample rate."""
    state: Any = None
    """What `Detected.state` was after the samples before; None at the beginning of a stream."""
    last: bool = False
    """Nothing comes after these: probabilities are wanted for every sample there was."""


@attrs.frozen(eq=False)
class Detected:
    """How likely it is that somebody speaks."""

    probabilities: NDArray[np.float32]
    """float32 [k], from 0 to 1: one for each frame that has become certain, in order from the stream's beginning."""
    state: Any = None
    """What the detector has to be given with the next samples. It can be pickled."""


@attrs.frozen
class SpeechSpan:
    """A stretch in which somebody speaks: seconds from the beginning of the audio."""

    start: float
    end: float


# -- to and from a codec ---------------------------------------------------------------------------------------------


@attrs.frozen(eq=False)
class Codes:
    """Frames of a neural codec, to be turned into sound."""

    levels: Sequence[NDArray[np.int64]]
    """int64 [n·k] for each codebook, the coarsest first: SNAC's are [n], [2n] and [4n]."""
