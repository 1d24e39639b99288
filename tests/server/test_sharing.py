"""Servers that come after one another, or work side by side, on one database."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest
from sqlalchemy import text

from sauropod.server import Settings, create_app
from sauropod.server.serving import Server
from sauropod.server.store import Item, LoggedEvent, ResponseRecord, Store
from server.checking import check_events, parsed
from server.serving import fake, serving

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    """The server is asyncio's."""
    return "asyncio"


def at(path: Path) -> Settings:
    return Settings(database=str(path / "sauropod.db"))


def state_of(http: httpx.AsyncClient) -> Any:
    return http._transport.app.state  # type: ignore[attr-defined]


async def ended(http: httpx.AsyncClient, name: str) -> dict[str, Any]:
    with anyio.fail_after(10):
        while True:
            found: dict[str, Any] = (await http.get(f"/v1/responses/{name}")).json()
            if found["status"] not in ("queued", "in_progress"):
                return found
            await anyio.sleep(0.02)


@asynccontextmanager
async def leaving(path: Path, told: int, text_told: bool) -> AsyncIterator[str]:
    """The name of a response in the background whose server is gone, after so much of it was logged."""
    async with serving({"fake": fake(seconds_per_token=0.01)}, settings=at(path)) as http:
        found = await http.post("/v1/responses", json={"input": "Hello", "background": True})
        name = found.json()["id"]
        server: Server = state_of(http).server
        record = await server.store.response(name)
        assert record is not None
        assert (await ended(http, name))["status"] == "completed"
        events = await server.store.events(name)
        items = await server.store.all_input_items(name)
        await server.store.delete_response(name)
    cut = (
        told if not text_told else next(i for i, each in enumerate(events) if b"output_text.delta" in each.payload) + 3
    )
    async with Store.open(str(path / "sauropod.db")) as store:
        await store.begin(attrs.evolve(record, status="queued", response=_response_of(events[0])), items)
        await store.log(name, events[:cut], status="in_progress" if text_told else "queued")
    yield name


def _response_of(event: LoggedEvent) -> bytes:
    return json.dumps(json.loads(event.payload)["response"]).encode()


async def test_one_that_had_not_begun_begins(tmp_path: Path) -> None:
    async with leaving(tmp_path, 2, False) as name, serving(settings=at(tmp_path)) as http:
        assert (await ended(http, name))["status"] == "completed"
        events = parsed((await http.get(f"/v1/responses/{name}?stream=true")).content)
    assert check_events(events, queued=True)["id"] == name


async def test_one_that_was_being_written_is_not_begun_again(tmp_path: Path) -> None:
    async with leaving(tmp_path, 0, True) as name, serving(settings=at(tmp_path)) as http:
        found = (await http.get(f"/v1/responses/{name}")).json()
        assert found["status"] == "incomplete"
        events = parsed((await http.get(f"/v1/responses/{name}?stream=true")).content)
    final = check_events(events, queued=True)
    assert "Hello there, how are you?".startswith(final["output"][0]["content"][0]["text"])


async def test_one_that_cannot_be_read_keeps_nobody_from_starting(tmp_path: Path) -> None:
    async with Store.open(str(tmp_path / "sauropod.db")) as store:
        for name, status in (("resp_a", "in_progress"), ("resp_b", "queued")):
            broken = ResponseRecord(id=name, created_at=1, status=status, model="m", request=b"{", response=b"{}")
            await store.begin(broken, [Item("a", b"{}")])
    async with serving(settings=at(tmp_path)) as http:
        store = state_of(http).server.store
        for name in ("resp_a", "resp_b"):
            record = await store.response(name)
            assert record is not None
            assert record.status == "failed"


async def test_another_server_tells_what_one_is_writing(tmp_path: Path) -> None:
    async with (
        serving({"fake": fake(seconds_per_token=0.02)}, settings=at(tmp_path)) as one,
        serving(settings=at(tmp_path)) as other,
    ):
        name = (await one.post("/v1/responses", json={"input": "Hello", "background": True})).json()["id"]
        with anyio.fail_after(5):
            while (await other.get(f"/v1/responses/{name}")).json()["status"] == "queued":
                await anyio.sleep(0.02)
        cancelled = await other.post(f"/v1/responses/{name}/cancel")
        assert (cancelled.status_code, cancelled.json()["error"]["code"]) == (409, "response_elsewhere")
        chained = await other.post("/v1/responses", json={"input": "x", "previous_response_id": name})
        assert (chained.status_code, chained.json()["error"]["code"]) == (409, "response_in_progress")
        events = parsed((await other.get(f"/v1/responses/{name}?stream=true")).content)
        final = check_events(events, queued=True)
        assert final == (await one.get(f"/v1/responses/{name}")).json()


async def test_an_end_that_was_not_kept_is_kept_later(tmp_path: Path) -> None:
    async with serving(settings=at(tmp_path)) as http:
        server: Server = state_of(http).server

        async def rename(old: str, new: str) -> None:
            await server.store._db.write(lambda c: c.execute(text(f"ALTER TABLE {old} RENAME TO {new}")))

        name = (await http.post("/v1/responses", json={"input": "Hello"})).json()["id"]
        await rename("response_items", "gone")
        assert (await http.post("/v1/responses", json={"input": "Hello"})).status_code == 503
        assert len(server.unkept) == 1
        await rename("gone", "response_items")
        await server.keep_again()
        assert server.unkept == []
        items = await server.store._db.read(lambda c: c.execute(text("SELECT count(*) FROM responses")))
        assert items.scalar() == 2
        assert (await http.get(f"/v1/responses/{name}")).status_code == 200


async def test_a_server_without_models_is_none() -> None:
    with pytest.raises(Exception, match="nothing to serve"):
        create_app(engines={})
