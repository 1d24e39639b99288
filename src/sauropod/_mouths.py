"""What a voice speaks with: a model that turns a phrase into samples."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Protocol

import attrs

from sauropod._handles import SpeechHandle
from sauropod._values.scheduling import Priority
from sauropod._values.speech import Phrase, SpeechInfo, Spoken

__all__ = ["GraphMouth", "Mouth"]


class Mouth(Protocol):
    """A model that speaks."""

    @property
    def info(self) -> SpeechInfo: ...

    def speak(self, phrase: Phrase, priority: Priority) -> AsyncGenerator[Spoken, None]:
        """The phrase, in one piece or in several as they are made. Marks count from the phrase's own beginning."""

    async def aclose(self) -> None: ...


@attrs.define(eq=False)
class GraphMouth:
    """A `Synthesizer` in a worker: a phrase at a time."""

    handle: SpeechHandle

    @property
    def info(self) -> SpeechInfo:
        return self.handle.info

    async def speak(self, phrase: Phrase, priority: Priority) -> AsyncGenerator[Spoken, None]:
        (spoken,) = await self.handle.compute([phrase], priority)
        yield spoken

    async def aclose(self) -> None:
        await self.handle.aclose()
