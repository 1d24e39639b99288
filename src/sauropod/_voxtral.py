"""Voxtral as ears: a language model that hears, asked to write down what is said."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import anyio
import attrs

from sauropod._engine import Engine
from sauropod._handles import WorkerHandle
from sauropod._runtime.protocol import PromptText
from sauropod._values.audio import AudioFrame
from sauropod._values.completion import Finished as TextFinished
from sauropod._values.completion import TextDelta
from sauropod._values.messages import PLACE
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Clip, Recognized, SpeechInfo
from sauropod.errors import UnsupportedInput, UnsupportedModel

__all__ = ["VOXTRAL", "VoxtralEars"]

VOXTRAL = "voxtral:"
"""What names of such models begin with."""
ASKED = "[TRANSCRIBE]"
"""The token that asks for a transcript."""
LANGUAGES = ("en", "es", "fr", "pt", "hi", "de", "nl", "it")
"""Those of the model's card."""
LONGEST = 30.0
"""Seconds that its encoder hears at once."""
CONTEXT = 1024
"""Tokens of a clip and its transcript: half a minute is a few hundred, and what can be said in it fewer."""
FASTEST, SPARE = 12, 32
"""Tokens a second of the fastest speech, and those beyond."""


@attrs.define(eq=False)
class VoxtralEars:
    """Voxtral Mini (mistralai/Voxtral-Mini-3B-2507) through llama.cpp's libmtmd.

    Experimental: llama.cpp cuts audio into windows of half a minute as the reference does, and pools their frames
    differently. It tells no times of words, and no confidence.
    """

    engine: Engine
    model: WorkerHandle

    @classmethod
    async def of(cls, engine: Engine) -> VoxtralEars:
        """The engine is open, and given back if it cannot be used. Raises `UnsupportedModel`."""
        try:
            model = engine._handle
            fault = await _fault(model) if isinstance(model, WorkerHandle) else "it is not in a worker"
            if isinstance(model, WorkerHandle) and not fault:
                return cls(engine, model)
            raise UnsupportedModel(f"{model.info.name} is no Voxtral that hears: {fault}.")
        except BaseException:
            with anyio.CancelScope(shield=True):
                await engine.aclose()
            raise

    @property
    def info(self) -> SpeechInfo:
        return self.model.speech_info(
            architecture="voxtral",
            kind="recognizer",
            sample_rate=self.model.info.audio_rate,
            languages=LANGUAGES,
            max_seconds=LONGEST,
            experimental=True,
        )

    async def compute(self, items: Sequence[Any], priority: Priority) -> list[Recognized]:
        """What is said in some clips, in their order. Raises `UnsupportedInput` for a language it does not hear."""
        return [await self._hear(clip, priority) for clip in items]

    async def _hear(self, clip: Clip, priority: Priority) -> Recognized:
        language = _language(clip.language)
        rate = self.model.info.audio_rate
        prompt = PromptText(
            text=f"[INST]{PLACE}[/INST]{f'lang:{language}' if language else ''}{ASKED}",
            audio=(AudioFrame(clip.samples, rate),),
        )
        most = round(FASTEST * len(clip.samples) / rate) + SPARE
        run = self.model.start(prompt, SamplingParams(temperature=0.0, max_tokens=most), priority)
        text = ""
        try:
            while True:
                event = await run.next()
                if isinstance(event, TextFinished):
                    return Recognized(text.strip(), language=language)
                text += event.text if isinstance(event, TextDelta) else ""
        finally:
            await run.aclose()

    async def aclose(self) -> None:
        await self.engine.aclose()


async def _fault(model: WorkerHandle) -> str:
    """Why it cannot be used as Voxtral, if it cannot."""
    if not model.info.hears:
        return "it has no projector (mmproj) that hears"
    tokens = await model.tokenize(f"[INST]{ASKED}", special=True)
    if len([token for token in tokens if await model.detokenize([token]) == ASKED]) != 1:
        return f"its vocabulary has no {ASKED}"
    return ""


def _language(language: str | None) -> str | None:
    """Raises `UnsupportedInput` for one that it does not hear."""
    if language is None:
        return None
    short = language.split("-")[0]
    if short not in LANGUAGES:
        raise UnsupportedInput(f"Voxtral hears {', '.join(LANGUAGES)}; got language {language!r}.")
    return short
