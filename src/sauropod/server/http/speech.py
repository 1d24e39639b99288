"""/v1/audio/speech, and /v1/audio/voices"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import anyio
import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sauropod import SayOptions, Voice
from sauropod._audio import MEDIA_TYPES, AudioEncoder
from sauropod.errors import BackendNotFound
from sauropod.server.http.calls import answer, body_of, server_of
from sauropod.server.http.live import Write, told
from sauropod.server.http.streaming import EventStream, sse
from sauropod.server.problems import invalid
from sauropod.server.serving import Server
from sauropod.server.wire.audio.speech import (
    CreateSpeech,
    SpeechDelta,
    SpeechDone,
    SpeechUsage,
    read_speech,
    voice_of,
)
from sauropod.server.wire.decoding import encoded

__all__ = ["routes"]


async def create(request: Request) -> EventStream:
    """POST /v1/audio/speech"""
    saying = _Saying.of(server_of(request), await body_of(request))
    if saying.asked.stream_format == "sse":
        return await told(request, saying.events)
    kind = MEDIA_TYPES[saying.asked.response_format]
    return await told(request, saying.file, {"content-type": kind}, plain=True)


async def voices(request: Request) -> Response:
    """GET /v1/audio/voices"""
    found = [
        {"id": name, "object": "audio.voice", "name": name, "model": model}
        for name, model in server_of(request).voices.listed()
    ]
    return answer({"object": "list", "data": found, "voices": [each["id"] for each in found]})


routes = [
    Route("/v1/audio/speech", create, methods=["POST"]),
    Route("/v1/audio/voices", voices, methods=["GET"]),
]


# -- inside --------------------------------------------------------------------------------------------------------


@attrs.define
class _Saying:
    """A request, read and checked."""

    server: Server
    asked: CreateSpeech
    name: str
    seconds: float = 0.0
    """What was said so far."""

    @classmethod
    def of(cls, server: Server, body: bytes) -> _Saying:
        """Raises `Problem`."""
        asked = read_speech(body)
        return cls(server, asked, server.voices.named(asked.model, asked.voice_name))

    async def file(self, write: Write) -> None:
        """The file, while it is made."""
        async for data in self._pieces():
            write(data)

    async def events(self, write: Write) -> None:
        """The same in events."""
        async for data in self._pieces():
            write(sse(encoded(SpeechDelta.of(data)), "speech.audio.delta"))
        done = SpeechDone(SpeechUsage.of(self.asked.input, self.seconds))
        write(sse(encoded(done), "speech.audio.done"))

    async def _pieces(self) -> AsyncIterator[bytes]:
        async with self.server.voices.use(self.name) as voice:
            encoder = self._encoder(voice.info.sample_rate)
            async with voice.stream(self.asked.input, **self._options(voice)) as frames:
                async for frame in frames:
                    self.seconds += frame.duration
                    # An encoder takes milliseconds, which the event loop does not have.
                    if data := await anyio.to_thread.run_sync(encoder.feed, frame.samples):
                        yield data
            if data := await anyio.to_thread.run_sync(encoder.finish):
                yield data

    def _encoder(self, rate: int) -> AudioEncoder:
        """Raises `Problem` for a format that takes what is not installed here."""
        try:
            return AudioEncoder(self.asked.response_format, rate)
        except BackendNotFound as error:
            raise invalid(f"{error} Or ask for another format.", "response_format", "unsupported_format") from error

    def _options(self, voice: Voice) -> SayOptions:
        options: SayOptions = {}
        if (chosen := voice_of(self.asked.voice_name, _names(voice), self.name)) is not None:
            options["voice"] = chosen
        if self.asked.speed is not None:
            options["speed"] = self.asked.speed
        if self.asked.language is not None:
            options["language"] = self.asked.language
        return options


def _names(voice: Voice) -> Sequence[str]:
    return voice.info.voices
