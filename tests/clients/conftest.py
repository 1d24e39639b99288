"""A server of the demo model on a socket, for clients of others. `nox -s clients` installs them and runs these."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sauropod import Engine
from server.serving import fake, listening


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """The address of OpenAI's API there: models `demo`, and `fake`, which says what it is told to."""
    async with listening({"demo": lambda: Engine("demo"), "fake": fake()}) as server:
        yield f"{server.url}/v1"
