"""Ears and mouth without async, and what they give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypedDict

from typing_extensions import Unpack

import sauropod
from sauropod._asking import PriorityName
from sauropod._audio import AudioLimits, AudioSource
from sauropod._hearing import Frames
from sauropod._opening import ModelName
from sauropod._runtime.pool import Isolation
from sauropod._speaking import SpeakableText
from sauropod._speech.endpointer import EndpointSettings
from sauropod._transcriber import TranscriptionProgress
from sauropod._values.speech import HearingEvent, SpeechInfo, SpeechSpan, Transcript
from sauropod._values.spoken import SpeechFrame
from sauropod._voice import SayOptions, Speech

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

from sauropod.blocking.loop import Caller
from sauropod.blocking.opened import Held, Opened

__all__ = [
    "DetectorStream",
    "Transcriber",
    "TranscriberOptions",
    "TranscriptStream",
    "Voice",
    "VoiceDetector",
    "VoiceDetectorOptions",
    "VoiceOptions",
    "VoiceStream",
]


class _SpeechOptions(TypedDict, total=False):
    """What voices, transcribers and detectors have in common."""

    backend: str | None
    device: str
    worker: str | None
    isolation: Isolation
    options: Mapping[str, Any] | None
    progress: ProgressCallback | None


class VoiceOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.Voice`."""

    voice: str | Mapping[str, float] | None
    speed: float
    language: str | None
    codec: ModelName
    slots: int | None
    threads: int | None


class TranscriberOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.Transcriber`."""

    vad: ModelName | None
    turn_detector: ModelName | None
    endpoint: EndpointSettings | None
    language: str | None
    threads: int | None
    projector: ModelName | bool


class VoiceDetectorOptions(_SpeechOptions, total=False):
    """The keyword arguments of `sauropod.VoiceDetector`."""

    threads: int


class Voice(Opened[sauropod.Voice]):
    """`sauropod.Voice` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self, source: ModelName = "onnx-community/Kokoro-82M-v1.0-ONNX", **options: Unpack[VoiceOptions]
    ) -> None:
        super().__init__(sauropod.Voice(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put."""
        return self._noun.info

    def check(self, **options: Unpack[SayOptions]) -> None:
        """Raises what `stream` would raise for these options."""
        self._noun.check(**options)

    def say(self, text: str, **options: Unpack[SayOptions]) -> Speech:
        """All of a text as audio."""
        return self._call(partial(self._noun.say, text, **options))

    def stream(self, text: SpeakableText, **options: Unpack[SayOptions]) -> VoiceStream:
        """A text as audio while it is made: a whole text, or pieces of one as they come, as from `engine.stream()`."""
        return VoiceStream(self._noun.stream(text, **options), self._running)


class Transcriber(Opened[sauropod.Transcriber]):
    """`sauropod.Transcriber` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self, source: ModelName = "sauropod/parakeet-tdt-0.6b-v2", **options: Unpack[TranscriberOptions]
    ) -> None:
        super().__init__(sauropod.Transcriber(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the recogniser is, and where it was put."""
        return self._noun.info

    def transcribe(
        self,
        audio: AudioSource,
        *,
        language: str | None = None,
        sample_rate: int | None = None,
        limits: AudioLimits | None = None,
        priority: PriorityName = "normal",
        progress: Callable[[TranscriptionProgress], None] | None = None,
    ) -> Transcript:
        """What is said in a file, the bytes of one, an array with its rate, or frames."""
        return self._call(
            partial(
                self._noun.transcribe,
                audio,
                language=language,
                sample_rate=sample_rate,
                limits=limits,
                priority=priority,
                progress=progress,
            )
        )

    def stream(
        self,
        frames: Frames,
        *,
        language: str | None = None,
        partials: bool = True,
        priority: PriorityName = "live",
    ) -> TranscriptStream:
        """What is said in a stream of `AudioFrame`s while it comes in. They are taken from it in a thread."""
        stream = self._noun.stream(frames, language=language, partials=partials, priority=priority)
        return TranscriptStream(stream, self._running)


class VoiceDetector(Opened[sauropod.VoiceDetector]):
    """`sauropod.VoiceDetector` for code that does not await. Arguments, results and errors are the same."""

    def __init__(
        self,
        source: ModelName = "sauropod/Frame_VAD_Multilingual_MarbleNet_v2.0",
        **options: Unpack[VoiceDetectorOptions],
    ) -> None:
        super().__init__(sauropod.VoiceDetector(source, **options))

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put."""
        return self._noun.info

    def detect(self, audio: AudioSource, settings: EndpointSettings | None = None) -> list[SpeechSpan]:
        """Where somebody speaks in a file, an array or frames, in order."""
        return self._call(partial(self._noun.detect, audio, settings))

    def stream(self, rate: int | None = None) -> DetectorStream:
        """Begin to listen to a stream of samples at `rate` a second; None is the detector's own."""
        return DetectorStream(self._noun.stream(rate), self._call)


class VoiceStream(Held[SpeechFrame]):
    """`sauropod.VoiceStream` for code that does not await.

    with voice.stream("Once upon a time there was a dinosaur.") as frames:
        for frame in frames:
            ...
    """


class TranscriptStream(Held[HearingEvent]):
    """`sauropod.TranscriptStream` for code that does not await.

    with transcriber.stream(microphone) as events:
        for event in events:
            ...
    """


class DetectorStream:
    """`sauropod.DetectorStream` for code that does not await."""

    def __init__(self, stream: sauropod.DetectorStream, call: Caller) -> None:
        self._stream = stream
        self._call = call

    @property
    def rate(self) -> int:
        """Samples a second of what is fed."""
        return self._stream.rate

    @property
    def frame(self) -> int:
        """Samples, at the detector's own rate, that one probability stands for."""
        return self._stream.frame

    def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the next samples, float32 [n]. The probabilities that have become certain, float32 [k]."""
        return self._call(partial(self._stream.feed, samples))

    def finish(self) -> NDArray[np.float32]:
        """The rest of the probabilities: nothing more will come."""
        return self._call(self._stream.finish)
