"""`VoiceDetector`: tells speech from everything else."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import attrs

from sauropod._audio import AudioSource
from sauropod._handles import SpeechHandle
from sauropod._iterating import END, Reading
from sauropod._opening import ModelName, Openable, Place, check_kinds
from sauropod._runtime.pool import Isolation
from sauropod._speech.endpointer import Endpointer, EndpointSettings, SpeechEnded
from sauropod._speech.resampler import Resampler
from sauropod._values.loading import LoadOptions
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Detected, Heard, SpeechInfo, SpeechSpan
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = ["DetectorStream", "VoiceDetector", "checked_samples"]

WORKER = "listening"
"""The worker of detectors: one of their own, so that speech is heard while something else is computed."""


class VoiceDetector(Openable[SpeechHandle]):
    """A model that tells speech from everything else, on this machine.

        async with sauropod.VoiceDetector("demo") as detector:
            for span in await detector.detect("meeting.wav"):
                print(span.start, span.end)

    `source` is a directory, or a repository on the Hugging Face Hub: MarbleNet or Silero as ONNX. `"demo"` is the small
    one that comes with sauropod. It lives in a worker process of its own that all detectors share, with one thread
    unless `threads` says otherwise.
    """

    _noun: ClassVar[str] = "detector"

    def __init__(
        self,
        source: ModelName = "sauropod/Frame_VAD_Multilingual_MarbleNet_v2.0",
        *,
        backend: str | None = None,
        device: str = "cpu",
        worker: str | None = None,
        isolation: Isolation = "process",
        threads: int = 1,
        options: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        super().__init__()
        self._place = Place.of(
            source,
            ending=".onnx",
            backend=backend,
            device=device,
            worker=worker or WORKER,
            isolation=isolation,
            progress=progress,
        )
        self._options = LoadOptions(device=self._place.device, threads=threads, extra=options or {})

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put. Raises `ClosedError` while it is not open."""
        return self._handle.info

    def stream(self, rate: int | None = None) -> DetectorStream:
        """Begin to listen to a stream of samples at `rate` a second; None is the detector's own."""
        return DetectorStream(self._handle, self.info.sample_rate if rate is None else rate)

    async def detect(self, audio: AudioSource, settings: EndpointSettings | None = None) -> list[SpeechSpan]:
        """Where somebody speaks in a file, an array or frames, in order. Raises `UnsupportedInput` for bad audio."""
        check_kinds(settings=(settings, EndpointSettings))
        info, spans = self.info, list[SpeechSpan]()
        endpointer = Endpointer(settings or EndpointSettings(), info.frame, info.sample_rate)
        stream = self.stream()
        with contextlib.closing(Reading(audio, info.sample_rate).asked()) as asked:
            ended = False
            while not ended:
                frame = await asked.next()
                ended = frame is END
                found = await (stream.finish() if ended else stream.feed(frame.samples))
                events = [*endpointer.feed(found), *(endpointer.finish() if ended else ())]
                spans += [
                    SpeechSpan(event.start / info.sample_rate, event.end / info.sample_rate)
                    for event in events
                    if isinstance(event, SpeechEnded)
                ]
        return spans

    async def _load(self) -> SpeechHandle:
        return await self._place.load_speech("voice_detector", "demo-vad", self._options)


@attrs.define(eq=False)
class DetectorStream:
    """One stream in which speech is looked for. Streams of all callers are computed together.

    A call that is cancelled loses nothing: its samples are looked at with the next. Calls take turns.
    """

    _handle: SpeechHandle
    rate: int
    """Samples a second of what is fed."""
    _resampler: Resampler = attrs.field(init=False)
    _waiting: list[NDArray[np.float32]] = attrs.field(factory=list)
    """Samples that have not been looked at."""
    _state: Any = None
    _ended: bool = False
    """All samples have been given."""
    _finished: bool = False
    """All of them have been looked at."""
    _turn: anyio.Lock = attrs.field(factory=anyio.Lock)

    def __attrs_post_init__(self) -> None:
        self._resampler = Resampler(self.rate, self._handle.info.sample_rate)

    @property
    def frame(self) -> int:
        """Samples, at the detector's own rate, that one probability stands for."""
        return self._handle.info.frame

    async def feed(self, samples: NDArray[np.float32]) -> NDArray[np.float32]:
        """Take in the next samples, float32 [n]. The probabilities that have become certain, float32 [k]."""
        if self._ended:
            raise _over()
        self._waiting.append(self._resampler.feed(checked_samples(samples)))
        return await self._detect(last=False)

    async def finish(self) -> NDArray[np.float32]:
        """The rest of the probabilities: nothing more will come. If it was cancelled, ask again."""
        if self._finished:
            raise _over()
        if not self._ended:
            self._ended = True
            self._waiting.append(self._resampler.finish())
        return await self._detect(last=True)

    async def _detect(self, *, last: bool) -> NDArray[np.float32]:
        import numpy as np

        async with self._turn:
            taken = list(self._waiting)
            samples = np.concatenate(taken) if taken else np.zeros(0, np.float32)
            detected: Detected
            (detected,) = await self._handle.compute([Heard(samples, self._state, last)], Priority.HEARING)
            self._state, self._finished = detected.state, last
            del self._waiting[: len(taken)]
        return detected.probabilities


def _over() -> UnsupportedInput:
    return UnsupportedInput("This stream has been finished. Begin a new one with detector.stream().")


def checked_samples(samples: Any) -> NDArray[np.float32]:
    """The samples of a stream. Raises `UnsupportedInput` for what is no sound."""
    import numpy as np

    if not isinstance(samples, np.ndarray) or samples.ndim != 1 or samples.dtype != np.float32:
        shown = f"{samples.dtype} {samples.shape}" if isinstance(samples, np.ndarray) else type(samples).__name__
        raise UnsupportedInput(f"Samples are float32 [n], from -1 to 1; got {shown}.")
    if not np.isfinite(samples).all():
        raise UnsupportedInput("There are samples that are no numbers (NaN or infinity). Look at where it comes from.")
    return samples
