"""The stores that the tests of this directory use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.store.databases import Postgres, postgres, postgres_missing


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session")
def running_postgres() -> Iterator[Postgres]:
    """Skips where there is none."""
    if reason := postgres_missing():
        pytest.skip(reason)
    with postgres() as running:
        yield running


@pytest.fixture(params=["memory", "file", "postgres"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "postgres":
        running: Postgres = request.getfixturevalue("running_postgres")
        return running.new()
    return ":memory:" if request.param == "memory" else str(tmp_path / "new" / "sauropod.db")
