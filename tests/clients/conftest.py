"""A server of the demo model on a socket, for clients of others. `nox -s clients` installs them and runs these."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sauropod import Engine, Transcriber, Voice
from sauropod.server import Settings, create_app
from server.serving import Listening, fake, listening

SPOKEN = {
    "What is the weather": '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
    "18 degrees": "It is 18 degrees.",
    "In Spanish": '<tool_call>{"name": "transfer_to_spanish", "arguments": {}}</tool_call>',
    '"spanish"': "Hola.",
    "Tell me a lot.": "One two three. " * 30,
    "Stop it now": "I have stopped.",
}
"""What is answered to what is said, or to what a tool gave."""


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The address of OpenAI's API there: models `demo`, and `fake`, which says what it is told to."""
    async with listening({"demo": lambda: Engine("demo"), "fake": fake()}) as server:
        yield f"{server.url}/v1"


@pytest.fixture
async def talker() -> AsyncIterator[Listening]:
    """A server of the model `fake`, which hears and says what it is told to."""
    app = create_app(
        Settings(database=":memory:"),
        engines={"fake": fake(says=SPOKEN)},
        voices={"fake": lambda: Voice("fake:synthesizer", isolation="thread")},
        transcriber=lambda: Transcriber("fake:recognizer", vad="fake:voice_detector", isolation="thread"),
    )
    async with listening(app=app) as server:
        yield server
