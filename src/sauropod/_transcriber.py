"""`Transcriber`: a model that hears."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import anyio
import attrs

from sauropod._asking import PriorityName, as_priority
from sauropod._audio import AudioLimits, AudioSource
from sauropod._detector import WORKER
from sauropod._ears import Ears, Recogniser, Utterances
from sauropod._engine import engine_at
from sauropod._hearing import Frames, TranscriptStream
from sauropod._iterating import END, Asked, Reading
from sauropod._opening import ModelName, Openable, Place, check_kinds, checked_language
from sauropod._runtime.pool import Isolation
from sauropod._speech.endpointer import EndpointSettings, SpeechEnded
from sauropod._values.loading import LoadOptions
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Segment, SpeechInfo, Transcript
from sauropod._voxtral import CONTEXT, VOXTRAL, VoxtralEars
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = ["Transcriber", "TranscriptionProgress"]

MARBLENET = "sauropod/Frame_VAD_Multilingual_MarbleNet_v2.0"
IN_FLIGHT = 2
"""Batches of clips that are with the recogniser at once: one that is computed, and one that is ready."""


@attrs.frozen
class TranscriptionProgress:
    """How far a file has been transcribed: seconds of audio."""

    done: float
    total: float | None
    """What the file says that it is long; None where it does not."""


class Transcriber(Openable[Ears]):
    """A speech recogniser on this machine.

        async with sauropod.Transcriber("demo") as transcriber:
            transcript = await transcriber.transcribe("meeting.wav")
            print(transcript.text)

    Works under asyncio and trio. `sauropod.blocking.Transcriber` is the same without async.

    `source` is a directory, or a repository on the Hugging Face Hub: Parakeet TDT as ONNX, in the precision that
    follows a colon (`"istupakov/parakeet-tdt-0.6b-v3-onnx:int8"`). `"demo"` is the small recogniser that comes with
    sauropod and knows the words of its demo model. `"onnx_asr:…"` is Whisper, or whatever else the package onnx-asr
    reads. `"voxtral:…"` is Voxtral, a language model that hears, as GGUF with its projector
    (`"voxtral:ggml-org/Voxtral-Mini-3B-2507-GGUF"`); it is experimental, and tells no times of words.

    - `vad`: the model that tells where somebody speaks, as in `sauropod.VoiceDetector`; by default MarbleNet, and the
      demo's own for the demo. None takes all for speech, and cuts what is too long where it is least loud.
    - `turn_detector`: a model that tells from the sound whether somebody has finished, such as Smart Turn as ONNX. A
      `sauropod.Session` with `patience` asks it at every pause; without one it goes by the words.
    - `endpoint`: when an utterance begins and ends. `language`: what is spoken, where a model has to be told.
    - `device`, `isolation`, `worker`, `threads`, `options` and `progress` are as in `sauropod.Engine`, and so is
      `projector`, which only Voxtral has.

    Opening raises what opening an `Engine` raises.
    """

    _noun: ClassVar[str] = "transcriber"

    def __init__(
        self,
        source: ModelName = "sauropod/parakeet-tdt-0.6b-v2",
        *,
        vad: ModelName | None = "auto",
        turn_detector: ModelName | None = None,
        endpoint: EndpointSettings | None = None,
        language: str | None = None,
        backend: str | None = None,
        device: str = "auto",
        worker: str | None = None,
        isolation: Isolation = "process",
        threads: int | None = None,
        projector: ModelName | bool = True,
        options: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        super().__init__()
        self._voxtral = isinstance(source, str) and source.startswith(VOXTRAL)
        self._place = Place.of(
            source.removeprefix(VOXTRAL) if self._voxtral and isinstance(source, str) else source,
            ending=".gguf" if self._voxtral else ".onnx",
            backend=backend,
            device=device,
            worker=worker,
            isolation=isolation,
            progress=progress,
        )
        if projector is not True and not self._voxtral:
            raise UnsupportedInput("Only Voxtral ('voxtral:…') hears with a projector. Leave projector out.")
        self._projector = projector
        self._options = LoadOptions(device=self._place.device, threads=threads, extra=options or {})
        if vad == "auto":
            vad = "demo" if source == "demo" else MARBLENET
        self._vad: Place | None = None
        self._turns: Place | None = None
        beside: Any = {"ending": ".onnx", "device": "cpu", "worker": WORKER, "isolation": isolation}
        if vad is not None:
            self._vad = Place.of(vad, progress=progress, **beside)
        if turn_detector is not None:
            self._turns = Place.of(turn_detector, progress=progress, **beside)
        check_kinds(endpoint=(endpoint, EndpointSettings))
        self._endpoint, self._language = endpoint or EndpointSettings(), checked_language(language)

    @property
    def info(self) -> SpeechInfo:
        """What the recogniser is, and where it was put. Raises `ClosedError` while it is not open."""
        return self._handle.info

    async def transcribe(
        self,
        audio: AudioSource,
        *,
        language: str | None = None,
        sample_rate: int | None = None,
        limits: AudioLimits | None = None,
        priority: PriorityName = "normal",
        progress: Callable[[TranscriptionProgress], None] | None = None,
    ) -> Transcript:
        """What is said in a file, the bytes of one, an array with its rate, or frames.

        Long audio is cut at silences and recognised in batches; memory stays bounded. `progress` is told how far that
        is. `sample_rate` is that of an array given without one, `limits` is what is decoded at most.

        Raises `UnsupportedInput` for what is no audio, `BackendError`, `BackendCrashed` and `ClosedError`.
        """
        ears, language = self._handle, checked_language(language) or self._language
        check_kinds(limits=(limits, AudioLimits), progress=(progress, Callable))
        rate, urgent = ears.info.sample_rate, as_priority(priority)
        reading = Reading(audio, rate, sample_rate, limits or AudioLimits())
        with contextlib.closing(reading.asked()) as asked:
            utterances = Utterances.of(ears, self._endpoint)
            return await _Transcription(ears, reading, asked, utterances, language, urgent, progress).run()

    def stream(
        self,
        frames: Frames,
        *,
        language: str | None = None,
        partials: bool = True,
        priority: PriorityName = "live",
    ) -> TranscriptStream:
        """What is said in a stream of `AudioFrame`s, such as a microphone's, while it comes in.

        With `partials` there are transcripts of unfinished utterances, as often as the recogniser can keep up with.
        Raises `ClosedError`; while it is iterated over also `UnsupportedInput` for frames that are none,
        `BackendError`, `BackendCrashed`, and what the frames' source raises.
        """
        urgent = as_priority(priority)
        urgent = Priority.HEARING if urgent is Priority.LIVE else urgent
        language = checked_language(language) or self._language
        return TranscriptStream(self._handle, frames, self._endpoint, language, partials, urgent)

    async def _load(self) -> Ears:
        ears = Ears(await self._recogniser(), None)
        small = LoadOptions(device="cpu", threads=1)
        try:
            if self._vad is not None:
                ears.detector = await self._vad.load_speech("voice_detector", "demo-vad", small)
            if self._turns is not None:
                ears.turns = await self._turns.load_speech("turn_detector", "demo-turns", small)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await ears.aclose()
            raise
        return ears

    async def _recogniser(self) -> Recogniser:
        if not self._voxtral:
            return await self._place.load_speech("recognizer", "demo-ears", self._options)
        engine = await engine_at(self._place, self._options, context_length=CONTEXT, projector=self._projector)
        return await VoxtralEars.of(engine)


@attrs.define(eq=False)
class _Transcription:
    """One file on its way to a transcript."""

    ears: Ears
    reading: Reading
    asked: Asked
    utterances: Utterances
    language: str | None
    priority: Priority
    progress: Callable[[TranscriptionProgress], None] | None
    found: dict[int, tuple[Segment, str | None]] = attrs.field(factory=dict)
    """What was said, by the clips' order."""
    starts: list[int] = attrs.field(factory=list)
    """The first sample of each clip."""
    first: int = 0
    """The first clip that is not done."""
    done: int = 0
    """Up to which sample all is known."""
    error: Exception | None = None

    async def run(self) -> Transcript:
        limiter = anyio.CapacityLimiter(IN_FLIGHT * max(1, self.ears.info.batch))
        async with anyio.create_task_group() as tasks:
            try:
                await self._read(tasks, limiter)
            except Exception as error:
                self._stop(error, tasks)
        if self.error is not None:
            raise self.error
        return self._transcript()

    async def _read(self, tasks: anyio.abc.TaskGroup, limiter: anyio.CapacityLimiter) -> None:
        ended = False
        while not ended:
            frame = await self.asked.next()
            ended = frame is END
            events = await (self.utterances.finish() if ended else self.utterances.feed(frame.samples))
            for event in events:
                if isinstance(event, SpeechEnded):
                    token = object()  # taken here, so that no more is read than can be worked off
                    await limiter.acquire_on_behalf_of(token)
                    self.starts.append(event.start)
                    samples = self.utterances.tape.samples(event.start, event.end)
                    tasks.start_soon(self._hear, len(self.starts) - 1, event, samples, tasks, limiter, token)
            self.utterances.forget()
            self._report()

    async def _hear(
        self,
        index: int,
        event: SpeechEnded,
        samples: NDArray[np.float32],
        tasks: anyio.abc.TaskGroup,
        limiter: anyio.CapacityLimiter,
        token: object,
    ) -> None:
        try:
            start = event.start / self.utterances.rate
            self.found[index] = await self.ears.recognize(samples, start, self.language, self.priority)
            self._report()
        except Exception as error:
            self._stop(error, tasks)
        finally:
            limiter.release_on_behalf_of(token)

    def _stop(self, error: Exception, tasks: anyio.abc.TaskGroup) -> None:
        self.error = self.error or error
        tasks.cancel_scope.cancel()

    def _report(self) -> None:
        if self.progress is None:
            return
        while self.first in self.found:
            self.first += 1
        settled = self.starts[self.first] if self.first < len(self.starts) else self.utterances.settled
        self.done = max(self.done, settled)
        self.progress(TranscriptionProgress(self.done / self.utterances.rate, self.reading.declared))

    def _transcript(self) -> Transcript:
        heard = [self.found[index] for index in range(len(self.starts))]
        segments = tuple(segment for segment, _ in heard if segment.text)
        languages = Counter(language for _, language in heard if language)
        return Transcript(
            " ".join(segment.text for segment in segments),
            segments,
            languages.most_common(1)[0][0] if languages else self.language,
            self.utterances.tape.end / self.utterances.rate,
        )
