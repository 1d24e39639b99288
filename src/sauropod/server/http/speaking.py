"""Speaking: which of the server's models thinks, hears and speaks in a session, kept open as long as it goes on."""

from __future__ import annotations

from contextlib import AsyncExitStack

import attrs

from sauropod import Engine, Transcriber, Voice
from sauropod.server.problems import Problem, invalid
from sauropod.server.serving import Server
from sauropod.server.wire.audio.speech import voice_of
from sauropod.server.wire.realtime.session import AnySession, RealtimeSession, TranscriptionSession

__all__ = ["Speaking"]

OPENAI_EARS = ("gpt-", "whisper-")
"""How names begin that stand for whatever hears here."""
VOICE = "session.audio.output.voice"


@attrs.define(eq=False)
class Speaking:
    """The models of one session."""

    server: Server
    models: AsyncExitStack
    engine: Engine
    transcriber: Transcriber | None
    voice: Voice | None = None
    fixed: bool = False
    """The session has begun: it keeps the model that speaks."""
    _voice_table: str | None = None

    @classmethod
    async def of(cls, server: Server, session: AnySession, models: AsyncExitStack) -> Speaking:
        """Opened as long as `models` is. Raises `Problem`, and what opening them raises."""
        if isinstance(session, TranscriptionSession):
            transcriber = await models.enter_async_context(server.ears.use(_ears_named(session)))
            # Nobody answers, so this is not even opened.
            return cls(server, models, server.catalog.entry(None).make(), transcriber)
        served = await models.enter_async_context(server.catalog.use(session.model))
        return cls(server, models, served.engine, await _hearing(server, session, models))

    async def check_ears(self, session: AnySession) -> None:
        """Raises `Problem` for a transcript by a model that is not here."""
        if session.audio.input.transcription is not None and (name := _ears_named(session)) is not None:
            try:
                async with self.server.ears.use(name):
                    pass
            except Problem as problem:
                param = "session.audio.input.transcription.model"
                raise Problem(problem.status, problem.message, problem.type, problem.code, param) from None

    async def choose(self, session: RealtimeSession) -> str | None:
        """The session's voice, as its model calls it; None is the model's own. Raises `Problem`."""
        name = session.audio.output.voice
        try:
            table = self.server.voices.named(None, name)
        except Problem as problem:
            if name is None and "audio" not in session.output_modalities:
                return None
            raise Problem(problem.status, problem.message, problem.type, problem.code, VOICE) from None
        if self.voice is not None and (name is None or name.casefold() != table.casefold()):
            table = self._voice_table or table  # it names no model, so the one that speaks is meant
        if table != self._voice_table:
            self._check_free(table)
            self.voice = await self.models.enter_async_context(self.server.voices.use(table))
            self._voice_table = table
        return self.named(name, VOICE)

    def named(self, name: str | None, param: str = "response.audio.output.voice") -> str | None:
        """A voice of the model that speaks. Raises `Problem`."""
        if self.voice is None:
            raise Problem(501, "Nothing speaks here. Ask for text.", code="no_voices", param=param)
        try:
            return voice_of(name, self.voice.info.voices, self._voice_table or "")
        except Problem as problem:
            raise Problem(problem.status, problem.message, problem.type, problem.code, param) from None

    def _check_free(self, table: str) -> None:
        if self.fixed:
            raise invalid(
                f"The model {self._voice_table!r} speaks in this session, which has begun. To have {table!r} speak, "
                "say so in the first session.update.",
                VOICE,
                "cannot_update_voice",
            )


async def _hearing(server: Server, session: RealtimeSession, models: AsyncExitStack) -> Transcriber | None:
    """None where nothing hears: such a session takes texts."""
    try:
        return await models.enter_async_context(server.ears.use(_ears_named(session)))
    except Problem as problem:
        if problem.code == "no_transcriber":
            return None
        raise


def _ears_named(session: AnySession) -> str | None:
    asked = session.audio.input.transcription
    name = None if asked is None else asked.model
    return None if name is None or name.startswith(OPENAI_EARS) else name
