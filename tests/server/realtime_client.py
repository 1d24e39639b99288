"""A server of fakes for the Realtime API, and a client of it that checks all that it is told."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs
import numpy as np
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from sauropod import Transcriber, Voice
from sauropod._speech import g711
from sauropod.server import Settings, create_app
from sauropod.server.serving import Server
from sauropod.testing import speech_of
from server.realtime_rules import Told
from server.serving import Listening, fake, listening

__all__ = ["SAYS", "WEATHER", "Client", "app_of", "connected", "served", "sound", "state", "talking"]

SAYS = {
    "Who are you?": "I am a fake.",
    "weather": '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    "18 degrees": "It is 18 degrees.",
    "a lot": "One two three. Four five six. Seven eight nine. Ten eleven twelve. " * 3,
    "Stop": "Well.",
}
WEATHER = {
    "type": "function",
    "name": "get_weather",
    "description": "Tells the weather.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def voice() -> Voice:
    return Voice("fake:synthesizer", isolation="thread")


def transcriber() -> Transcriber:
    return Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread")


def app_of(settings: Settings | None = None, **given: Any) -> Starlette:
    says = given.pop("says", SAYS)
    options = given.pop("options", {})
    return create_app(
        settings or Settings(database=":memory:"),
        **{
            "engines": {"fake": fake(says=says, step_tokens=512, **options)},
            "voices": {"storyteller": voice, "other": voice},
            "transcriber": transcriber,
            **given,
        },
    )


@asynccontextmanager
async def served(settings: Settings | None = None, **given: Any) -> AsyncIterator[Listening]:
    async with listening(app=app_of(settings, **given), settings=settings) as server:
        yield server


def state(server: Listening) -> Server:
    found: Server = server.app.state.server
    return found


@attrs.define
class Client:
    """A socket, and all that was told over it."""

    socket: ClientConnection
    told: Told = attrs.field(factory=Told)
    at: int = 0
    """How much of it was looked at."""

    async def send(self, kind: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def until(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The next event of a kind, and with these fields."""
        with anyio.fail_after(10):
            while True:
                event = self.told.take(await self.socket.recv())
                if event["type"] == kind and all(event.get(name) == value for name, value in fields.items()):
                    return event

    async def update(self, **session: Any) -> dict[str, Any]:
        await self.send("session.update", session={"type": "realtime", **session})
        found: dict[str, Any] = (await self.until("session.updated"))["session"]
        return found

    async def refused(self, kind: str, **fields: Any) -> dict[str, Any]:
        """The error of an event that is refused. The session goes on."""
        await self.send(kind, event_id="mine", **fields)
        error: dict[str, Any] = (await self.until("error"))["error"]
        assert error["event_id"] == "mine"
        assert error["type"] in ("invalid_request_error", "server_error", "rate_limit_error")
        return error

    async def write(self, text: str) -> None:
        content = [{"type": "input_text", "text": text}]
        await self.send("conversation.item.create", item={"type": "message", "role": "user", "content": content})

    async def say(self, *texts: str, gap: float = 0.7, form: str = "audio/pcm") -> None:
        for message in sound(*texts, gap=gap, form=form):
            await self.send("input_audio_buffer.append", audio=message)

    async def done(self) -> dict[str, Any]:
        response: dict[str, Any] = (await self.until("response.done"))["response"]
        return response


def sound(*texts: str, gap: float = 0.7, form: str = "audio/pcm", size: int = 4800) -> list[str]:
    """Each text and silence behind it, in messages."""
    rate = 24_000 if form == "audio/pcm" else 8_000
    samples = np.concatenate(
        [part for text in texts for part in (speech_of(text, rate), np.zeros(round(gap * rate), np.float32))]
    )
    if form == "audio/pcm":
        data = g711.to_int16(samples).astype("<i2").tobytes()
    else:
        data = g711.encode(samples, "mulaw" if form == "audio/pcmu" else "alaw")
    return [base64.b64encode(data[at : at + size]).decode() for at in range(0, len(data), size)]


@asynccontextmanager
async def connected(
    server: Listening, query: str = "model=fake", *, headers: Mapping[str, str] | None = None, **options: Any
) -> AsyncIterator[Client]:
    url = f"ws://127.0.0.1:{server.port}/v1/realtime?{query}"
    async with connect(url, proxy=None, additional_headers=headers, **options) as socket:
        client = Client(socket)
        first = client.told.take(await socket.recv())
        if first["session"]["type"] == "realtime":
            await client.until("conversation.created")
        yield client


@asynccontextmanager
async def talking(query: str = "model=fake", **given: Any) -> AsyncIterator[Client]:
    async with served(**given) as server, connected(server, query) as client:
        yield client
