"""Voices: what speaks, by name; and Ears: what hears."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

import attrs
from anyio.abc import TaskGroup

from sauropod import Transcriber, Voice
from sauropod.server.catalog import DEFAULT
from sauropod.server.keeping import Kept
from sauropod.server.problems import Problem, missing
from sauropod.server.wire.audio import speech, transcription

__all__ = ["Ears", "Voices"]


@attrs.define(eq=False)
class Voices:
    """Voices as the settings name them: each is a model, and perhaps one of its voices. The first is the default."""

    _kept: Mapping[str, Kept[Voice]]

    @classmethod
    def of(cls, voices: Mapping[str, Callable[[], Voice]], tasks: TaskGroup) -> Voices:
        return cls({name: Kept(f"voice {name!r}", make, tasks) for name, make in voices.items()})

    def named(self, model: str | None, voice: str | None) -> str:
        """Which one is meant: by the model's name, or else by the voice's. Raises `Problem` naming those there are."""
        if not self._kept:
            raise Problem(501, "Nothing speaks here. Add a table [voices.NAME] to the settings.", code="no_voices")
        folded = {name.casefold(): name for name in self._kept}
        for asked in (model, voice):
            if asked and asked.casefold() in folded:
                return folded[asked.casefold()]
        if not model or model == DEFAULT or model.casefold().startswith(speech.OPENAI_MODELS):
            return next(iter(self._kept))
        raise missing(
            f"There is no voice {model!r} here. There are: {', '.join(self._kept)}, and 'default'.",
            "model_not_found",
            "model",
        )

    @asynccontextmanager
    async def use(self, name: str) -> AsyncIterator[Voice]:
        """The voice, opened. Raises what opening it raises."""
        async with self._kept[name].use() as voice:
            yield voice

    def listed(self) -> list[tuple[str, str]]:
        """Names that can be asked for, each with its model's: those of the settings, and what loaded models have."""
        found = [(name, name) for name in self._kept]
        for name, kept in self._kept.items():
            if kept.open is not None:
                found += [(voice, name) for voice in kept.open.info.voices if voice not in self._kept]
        return found

    async def close(self) -> None:
        for each in self._kept.values():
            await each.shut()


@attrs.define(eq=False)
class Ears:
    """The one model that hears."""

    name: str
    _kept: Kept[Transcriber] | None

    @classmethod
    def of(cls, name: str, make: Callable[[], Transcriber] | None, tasks: TaskGroup) -> Ears:
        """None hears nothing."""
        return cls(name, None if make is None else Kept("what hears", make, tasks))

    @asynccontextmanager
    async def use(self, model: str | None) -> AsyncIterator[Transcriber]:
        """The model, opened. Raises `Problem` for another, and what opening it raises."""
        if self._kept is None:
            raise Problem(501, "Nothing hears here: `stt_model` is empty in the settings.", code="no_transcriber")
        if model and model not in (DEFAULT, self.name, *transcription.OPENAI_MODELS):
            raise missing(
                f"There is no model {model!r} that hears here. There is {self.name!r}, and 'default'.",
                "model_not_found",
                "model",
            )
        async with self._kept.use() as transcriber:
            yield transcriber

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.shut()
