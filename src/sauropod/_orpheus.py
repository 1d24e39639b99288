"""Orpheus as a mouth: the text scheduler writes codes, a codec turns them into sound window by window."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import attrs

from sauropod._engine import Engine
from sauropod._handles import GRACE, SpeechHandle, WorkerHandle
from sauropod._runtime.protocol import PromptText
from sauropod._speech import orpheus
from sauropod._speech.snac_windows import Joined, Window, Windows
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Codes, Mark, Phrase, SpeechInfo, Spoken
from sauropod.errors import UnsupportedInput, UnsupportedModel

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["OrpheusMouth"]

VOCABULARY = orpheus.FIRST_CODE + orpheus.CODES * orpheus.CODES_PER_FRAME
"""The tokens that a model has to have at least."""
TOKENS_A_SECOND = 84
"""Of sound: 24,000 samples in frames of 2,048, with seven codes each."""
SLOWEST = 4.0
"""Characters a second. What takes longer than that goes round in circles."""
SPARE = 2.0
"""Seconds that a phrase may take beyond those."""


@attrs.define(eq=False)
class OrpheusMouth:
    """The language model and the codec."""

    engine: Engine
    model: WorkerHandle
    codec: SpeechHandle

    @classmethod
    async def of(cls, engine: Engine, codec: SpeechHandle) -> OrpheusMouth:
        """Both are open, and given back if they cannot be used. Raises `UnsupportedModel`."""
        model = engine._handle
        if isinstance(model, WorkerHandle) and model.info.vocabulary_size >= VOCABULARY:
            return cls(engine, model, codec)
        with anyio.CancelScope(shield=True):
            await codec.aclose()
            await engine.aclose()
        raise UnsupportedModel(
            f"{model.info.name} is no Orpheus: its vocabulary has {model.info.vocabulary_size:,} tokens, and the codes "
            f"of sound go up to {VOCABULARY:,}."
        )

    @property
    def info(self) -> SpeechInfo:
        return self.model.speech_info(
            architecture="orpheus",
            kind="synthesizer",
            sample_rate=orpheus.SAMPLE_RATE,
            voices=orpheus.VOICES,
            languages=("en-us",),
        )

    async def speak(self, phrase: Phrase, priority: Priority) -> AsyncGenerator[Spoken, None]:
        """The phrase, window by window. Raises `UnsupportedInput` for what this model cannot do."""
        prompt = PromptText(text=f"{_voice(phrase)}: {phrase.text}", before=orpheus.BEFORE, after=orpheus.AFTER)
        most = round(TOKENS_A_SECOND * (len(phrase.text) / SLOWEST + SPARE))
        sampling = attrs.evolve(orpheus.SAMPLING, max_tokens=most, stop_tokens=(orpheus.END,))
        frames, windows, joined = orpheus.Frames(), Windows(), Joined()
        async with aclosing(self.model.tokens(prompt, sampling, priority)) as tokens:
            async for token in tokens:
                frames.feed([token])
                if frames.ended:
                    break
                window = windows.next(len(frames), ended=False)
                if window is not None:
                    yield Spoken(joined.add(window, await self._decoded(window, frames, priority)))
        window = windows.next(len(frames), ended=True)
        if window is not None:
            rest = joined.add(window, await self._decoded(window, frames, priority))
            yield Spoken(rest, (Mark(0, len(phrase.text), 0, len(frames) * self.codec.info.frame),))

    async def _decoded(self, window: Window, frames: orpheus.Frames, priority: Priority) -> NDArray[np.float32]:
        samples: NDArray[np.float32]
        (samples,) = await self.codec.compute([Codes(frames.levels(window.begin, window.end))], priority)
        return samples

    async def aclose(self) -> None:
        """Give both back, also if the one fails or this is cancelled."""
        try:
            await self.engine.aclose()
        finally:
            with anyio.move_on_after(GRACE, shield=True):
                await self.codec.aclose()


def _voice(phrase: Phrase) -> str:
    if len(phrase.voice) != 1:
        raise UnsupportedInput(f"Orpheus speaks with one voice at a time; got {', '.join(phrase.voice)}.")
    if phrase.speed != 1:
        raise UnsupportedInput("Orpheus has a speed of its own. Leave speed out.")
    if (phrase.language or "en-us").split("-")[0] != "en":
        raise UnsupportedInput(f"Orpheus speaks English; got language {phrase.language!r}. Leave language out.")
    return next(iter(phrase.voice))
