"""A server that is told to stop lets end what is being written."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from server.killing import start

TOKENS = 150
"""Some 0.3 seconds of the model that `start` has, beyond what it takes to stop a server that writes nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    process, url = start(str(tmp_path / "sauropod.db"))
    try:
        yield process, url
    finally:
        process.kill()
        process.communicate()


ASKED = {"input": "x", "max_output_tokens": TOKENS, "ignore_eos": True}


def opened(url: str) -> None:
    httpx.post(f"{url}/v1/responses", json={"input": "x", "max_output_tokens": 1, "store": False}, timeout=30)


def test_a_stream_goes_on_to_its_end(server: tuple[subprocess.Popen[str], str]) -> None:
    process, url = server
    opened(url)
    with httpx.stream("POST", f"{url}/v1/responses", json={**ASKED, "stream": True}, timeout=30) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "event: response.created"
        process.send_signal(signal.SIGTERM)
        rest = [line for line in lines if line.startswith("event: ")]
    assert rest[-1] in ("event: response.completed", "event: response.incomplete")
    assert process.wait(20) == 0


def test_so_does_one_over_a_websocket(server: tuple[subprocess.Popen[str], str]) -> None:
    process, url = server
    opened(url)
    with connect(f"{url.replace('http', 'ws', 1)}/v1/responses", proxy=None) as socket:
        socket.send(json.dumps({"type": "response.create", **ASKED}))
        assert json.loads(socket.recv())["type"] == "response.created"
        process.send_signal(signal.SIGTERM)
        events = []
        with contextlib.suppress(ConnectionClosed):
            while True:
                events.append(json.loads(socket.recv(timeout=30))["type"])
    assert events[-1] in ("response.completed", "response.incomplete")
    assert process.wait(20) == 0


def test_so_does_one_in_the_background(server: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    process, url = server
    opened(url)
    name = httpx.post(f"{url}/v1/responses", json={**ASKED, "background": True}).json()["id"]
    while httpx.get(f"{url}/v1/responses/{name}").json()["status"] == "queued":
        pass
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    again, url = start(str(tmp_path / "sauropod.db"))
    try:
        found = httpx.get(f"{url}/v1/responses/{name}").json()
    finally:
        again.terminate()
        again.communicate()
    assert found["status"] in ("completed", "incomplete")
    assert found["incomplete_details"] in (None, {"reason": "max_output_tokens"})
    assert found["usage"] is not None
