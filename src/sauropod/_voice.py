"""`Voice`: a model that speaks."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict, Unpack

import anyio
import attrs

from sauropod._asking import PriorityName, as_priority
from sauropod._audio import AudioFormat, encode_audio, write_audio
from sauropod._engine import engine_at
from sauropod._mouths import GraphMouth, Mouth
from sauropod._opening import ModelName, Openable, Place, checked_language
from sauropod._orpheus import OrpheusMouth
from sauropod._runtime.pool import Isolation
from sauropod._speaking import SpeakableText, VoiceStream, say_all
from sauropod._speech.blending import check_voices, read_voice
from sauropod._values.checks import is_finite
from sauropod._values.loading import LoadOptions
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Mark, Phrase, SpeechInfo
from sauropod.errors import UnsupportedInput

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from sauropod._sources import ProgressCallback

__all__ = ["SayOptions", "Speech", "Voice"]

SLOWEST, FASTEST = 0.5, 2.0
ORPHEUS = "orpheus:"
CONTEXT = 8192
"""Tokens of a phrase and its sound, for Orpheus: about a minute and a half."""


class SayOptions(TypedDict, total=False):
    """The keyword arguments of `say` and `stream`."""

    voice: str | Mapping[str, float] | None
    speed: float | None
    language: str | None
    priority: PriorityName


@attrs.frozen(eq=False)
class Speech:
    """A text that was said. A notebook shows it as a player."""

    text: str
    samples: NDArray[np.float32]
    """float32 [n], from -1 to 1."""
    rate: int
    """Samples a second."""
    marks: Sequence[Mark] = ()
    """Which samples say which characters, in order, as fine as the model can tell."""

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate

    def encode(self, format: AudioFormat = "wav") -> bytes:
        """The bytes of a file: `"wav"`, `"flac"`, `"mp3"`, `"opus"`, `"ogg"`, or `"pcm"` for bare 16-bit samples."""
        return encode_audio(self.samples, self.rate, format)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file of the kind that its name ends in."""
        write_audio(path, self.samples, self.rate)

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.encode("wav")).decode("ascii")
        return f'<audio controls src="data:audio/wav;base64,{data}"></audio>'


class Voice(Openable[Mouth]):
    """A voice on this machine.

        async with sauropod.Voice("demo") as voice:
            (await voice.say("Hello there.")).save("hello.wav")

    Works under asyncio and trio. `sauropod.blocking.Voice` is the same without async.

    `source` is a directory, or a repository on the Hugging Face Hub, with a model that speaks: Kokoro as ONNX, in the
    precision that follows a colon (`"onnx-community/Kokoro-82M-v1.0-ONNX:q8f16"`). `"demo"` is the small voice that
    comes with sauropod.

    `"orpheus:…"` is Orpheus, a language model that writes codes of sound, as GGUF
    (`"orpheus:unsloth/orpheus-3b-0.1-ft-GGUF:Q4_K_M"`); `codec` is the model that turns its codes into samples.

    - `voice`: which of the model's voices (`info.voices`); by default its first. Several are blended:
      `"af_heart:0.7+af_bella:0.3"`, or a mapping of names to shares.
    - `speed`: from 0.5 to 2. `language`: how the text is read, such as `"en-gb"`; by default the voice's own.
    - `slots`: how many phrases are computed side by side. One at a time (the default) is said soonest; several, with
      one thread each, come to more in all.
    - `device`, `isolation`, `worker`, `threads`, `options` and `progress` are as in `sauropod.Engine`.

    Opening raises what opening an `Engine` raises.
    """

    _noun: ClassVar[str] = "voice"

    def __init__(
        self,
        source: ModelName = "onnx-community/Kokoro-82M-v1.0-ONNX",
        *,
        voice: str | Mapping[str, float] | None = None,
        speed: float = 1.0,
        language: str | None = None,
        codec: ModelName = "onnx-community/snac_24khz-ONNX",
        backend: str | None = None,
        device: str = "auto",
        worker: str | None = None,
        isolation: Isolation = "process",
        slots: int | None = None,
        threads: int | None = None,
        options: Mapping[str, Any] | None = None,
        progress: ProgressCallback | None = None,
    ) -> None:
        super().__init__()
        self._orpheus = isinstance(source, str) and source.startswith(ORPHEUS)
        self._place = Place.of(
            source.removeprefix(ORPHEUS) if self._orpheus and isinstance(source, str) else source,
            ending=".gguf" if self._orpheus else ".onnx",
            backend=backend,
            device=device,
            worker=worker,
            isolation=isolation,
            progress=progress,
        )
        self._options = LoadOptions(device=self._place.device, slots=slots, threads=threads, extra=options or {})
        self._codec = Place.of(codec, ending=".onnx", device=device, isolation=isolation, progress=progress)
        self._voice = None if voice is None else read_voice(voice)
        self._speed, self._language = _checked_speed(speed), checked_language(language)

    @property
    def info(self) -> SpeechInfo:
        """What the model is, and where it was put. Raises `ClosedError` while it is not open."""
        return self._handle.info

    async def say(self, text: str, **options: Unpack[SayOptions]) -> Speech:
        """All of a text as audio. The arguments and errors are those of `stream`."""
        import numpy as np

        if not isinstance(text, str):
            raise UnsupportedInput(f"say() takes a text; got {type(text).__name__}. Pieces of one go to stream().")
        how, priority = self._how(options)
        frames = await say_all(self._handle, text, how, priority)
        samples = np.concatenate([frame.samples for frame in frames]) if frames else np.zeros(0, np.float32)
        return Speech(text, samples, self.info.sample_rate, tuple(mark for frame in frames for mark in frame.marks))

    def stream(self, text: SpeakableText, **options: Unpack[SayOptions]) -> VoiceStream:
        """A text as audio while it is made: a whole text, or pieces of one as they come, also from `engine.stream()`.

        `voice`, `speed` and `language` are this once others than the voice was made with. `priority`: `"live"` (the
        default here), `"normal"` or `"background"`.

        Raises `UnsupportedInput` for a voice, speed or language that is not there, and `ClosedError`; while it is
        iterated over also `BackendError`, `BackendCrashed`, and what the text's source raises.
        """
        return VoiceStream(self._handle, text, *self._how(options))

    def check(self, **options: Unpack[SayOptions]) -> None:
        """Raises what `stream` would raise for these options."""
        self._how(options)

    def _how(self, options: SayOptions) -> tuple[Phrase, Priority]:
        """How something is to be said: a phrase without a text, and how urgently."""
        info = self.info
        for name in options.keys() - SayOptions.__annotations__.keys():
            raise TypeError(f"{name!r} is no option of speech; there are {', '.join(SayOptions.__annotations__)}.")
        asked = options.get("voice")
        voice = read_voice(asked) if asked is not None else self._voice or dict.fromkeys(info.voices[:1], 1.0)
        check_voices(voice, info.voices)
        speed = options.get("speed")
        language = checked_language(options.get("language")) or self._language
        phrase = Phrase("", voice, self._speed if speed is None else _checked_speed(speed), language)
        priority = as_priority(options.get("priority", "live"))
        return phrase, Priority.SPEAKING if priority is Priority.LIVE else priority

    async def _load(self) -> Mouth:
        if not self._orpheus:
            return GraphMouth(await self._place.load_speech("synthesizer", "demo-voice", self._options))
        codec = await self._codec.load_speech("audio_codec", "demo-codec", LoadOptions(device=self._codec.device))
        try:
            engine = await engine_at(self._place, self._options, context_length=CONTEXT)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await codec.aclose()
            raise
        return await OrpheusMouth.of(engine, codec)


def _checked_speed(speed: float) -> float:
    if not is_finite(speed) or not SLOWEST <= speed <= FASTEST:
        raise UnsupportedInput(f"speed must be a number from {SLOWEST} to {FASTEST}; got {speed!r}.")
    return float(speed)
