"""Who may come in, and what everybody is told."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount

from sauropod.errors import PromptTooLong, QueueFull
from sauropod.server import Settings, create_app
from sauropod.server.config.parts import Authentication
from sauropod.server.http.guard import Door, Guard, hosts_of
from server.serving import fake, serving

pytestmark = pytest.mark.anyio


async def asked(
    door: Door, path: str = "/v1/models", *, error: Exception | None = None, **headers: str
) -> httpx.Response:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if error is not None:
            raise error
        await PlainTextResponse(Request(scope).state.request_id)(scope, receive, send)

    transport = httpx.ASGITransport(Guard(app, door))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8080") as client:
        return await client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_without_keys_any_key_is_as_good_as_none() -> None:
    assert (await asked(Door())).status_code == 200
    assert (await asked(Door(), authorization="Bearer whatever")).status_code == 200


@pytest.mark.parametrize("header", ["Bearer k1", "bearer k1", "Bearer k2"])
async def test_a_key_that_is_known_opens(header: str) -> None:
    assert (await asked(Door(["k1", "k2"]), authorization=header)).status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer k3", "Basic k1"])
async def test_any_other_does_not(header: str) -> None:
    found = await asked(Door(["k1", "k2"]), authorization=header)
    assert found.status_code == 401
    assert found.json()["error"]["code"] == "invalid_api_key"
    assert found.headers["x-should-retry"] == "false"
    assert found.headers["www-authenticate"] == "Bearer"


async def test_health_needs_no_key() -> None:
    assert (await asked(Door(["k1"]), "/health")).status_code == 200


async def test_a_name_that_is_not_this_servers_is_turned_away() -> None:
    door = Door(hosts=frozenset({"localhost"}))
    assert (await asked(door)).status_code == 200
    found = await asked(door, host="evil.example:8080")
    assert (found.status_code, found.json()["error"]["code"]) == (403, "host_not_allowed")


async def test_pages_of_others_are_turned_away() -> None:
    assert (await asked(Door(), origin="http://localhost:8080")).status_code == 200
    assert (await asked(Door(), origin="https://evil.example")).status_code == 403
    assert (await asked(Door(origins=["https://app.example"]), origin="https://app.example")).status_code == 200


async def test_every_answer_has_an_id_and_keeps_that_of_the_client() -> None:
    found = await asked(Door())
    assert found.headers["x-request-id"] == found.text
    assert (await asked(Door(), x_request_id="mine-1")).headers["x-request-id"] == "mine-1"
    assert (await asked(Door(), x_request_id="a b")).headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (PromptTooLong(10, 5), 400, "context_length_exceeded"),
        (QueueFull(5, 5), 429, "rate_limit_exceeded"),
        (KeyError("secret"), 500, "server_error"),
    ],
)
async def test_errors_are_told_in_openais_words(error: Exception, status: int, code: str) -> None:
    found = await asked(Door(), error=error)
    assert found.status_code == status
    assert set(found.json()["error"]) == {"message", "type", "param", "code"}
    assert found.json()["error"]["code"] == code
    assert "secret" not in found.text
    assert ("retry-after" in found.headers) == (status == 429)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_address_says_what_it_takes() -> None:
    async with serving() as http:
        wrong = await http.put("/v1/files")
        nothing = await http.get("/v1/nothing")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET, HEAD, POST")
    assert wrong.json()["error"]["message"] == "Method Not Allowed."
    assert nothing.status_code == 404
    assert nothing.json()["error"]["code"] == "unknown_url"


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("health", 200),
        ("health/live", 200),
        ("openapi.json", 200),
        ("v1/models", 401),
        ("healthy", 401),
        ("docs2", 401),
    ],
)
@pytest.mark.parametrize("prefix", ["/ai", "/health", "/docs-of-ai", "/healthcare", ""])
async def test_where_it_is_mounted_opens_nothing(prefix: str, path: str, status: int) -> None:
    settings = Settings(database=":memory:", authentication=Authentication(type="api_key", keys=("k",)))
    app = create_app(settings, engines={"fake": fake()})
    outer = Starlette(routes=[Mount(prefix, app)])
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(outer), base_url="http://localhost") as http,
    ):
        assert (await http.get(f"{prefix}/{path}")).status_code == status


@pytest.mark.parametrize("host", ["192.168.1.5:8080", "[fe80::1]:8080", "localhost.:8080"])
async def test_an_address_is_no_name_that_could_point_elsewhere(host: str) -> None:
    door = Door(hosts=hosts_of("0.0.0.0", []))
    assert (await asked(door, host=host)).status_code == 200
