"""A peer that serves over HTTP: its process, and what it answers."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from socket import socket
from typing import IO, Any, Self

import anyio
import attrs

from benchmarks.harness.http import Address, events, is_healthy
from benchmarks.harness.setup import Serving, Setup
from benchmarks.harness.side import Ask, Reading

__all__ = ["PeerFailed", "Server", "llama_server_command", "our_command", "xllamacpp_command"]

PATIENCE = 120.0
"""Seconds a server may take to load its model, and then to end."""


class PeerFailed(Exception):
    """The peer could not be started."""


@attrs.define(eq=False)
class Server:
    """A server with OpenAI's chat endpoint, in a process that is started here and ended here."""

    name: str
    command: Sequence[str]
    """Its command line; `{port}` stands for the port it is to listen on."""
    environment: Sequence[str] = ()
    biases_are_pairs: bool = True
    """Whether `logit_bias` is a list of pairs, as llama.cpp has it, or an object, as OpenAI has."""
    _address: Address = attrs.field(init=False)
    _process: subprocess.Popen[bytes] = attrs.field(init=False)
    _log: IO[bytes] = attrs.field(init=False)

    @property
    def address(self) -> Address:
        """Where it listens, while it runs."""
        return self._address

    async def __aenter__(self) -> Self:
        self._address = Address("127.0.0.1", _free_port())
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        command = [part.replace("{port}", str(self._address.port)) for part in self.command]
        environment = os.environ | dict(pair.split("=", 1) for pair in self.environment)
        self._process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log, env=environment
        )
        try:
            await self._ready()
        except BaseException:
            self._end()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self._end()

    async def ask(self, ask: Ask) -> Reading:
        begin = time.perf_counter()
        text: list[str] = []
        arrivals: list[float] = []
        usage: dict[str, Any] = {}
        async with aclosing(events(self._address, "/v1/chat/completions", _body(ask, self.biases_are_pairs))) as stream:
            async for event in stream:
                piece = _piece(event)
                if piece:
                    arrivals.append(time.perf_counter() - begin)
                    text.append(piece)
                usage = event.get("usage") or usage
        cached = (usage.get("prompt_tokens_details") or {}).get("cached_tokens", 0)
        return Reading(
            "".join(text), arrivals, usage.get("prompt_tokens", 0), cached, usage.get("completion_tokens", 0)
        ).checked(ask.exactly)

    async def _ready(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while not await is_healthy(self._address):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise PeerFailed(f"{self.command[0]} did not start. Its last words:\n{self._last_words()}")
            await anyio.sleep(0.05)

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _last_words(self) -> str:
        self._log.seek(0)
        return "\n".join(self._log.read().decode(errors="replace").splitlines()[-12:])


def llama_server_command(binary: Path, setup: Setup, serving: Serving) -> list[str]:
    """llama.cpp's own server, with the flags that mean what our options mean."""
    flags = {
        "--model": setup.model,
        "--host": "127.0.0.1",
        "--port": "{port}",
        "--threads": setup.threads,
        "--threads-batch": setup.threads,
        "--parallel": serving.slots,
        "--ctx-size": serving.context * serving.slots,
        "--batch-size": setup.step_tokens,
        "--ubatch-size": min(setup.step_tokens, 512),
    }
    return [str(binary), *(str(part) for flag in flags.items() for part in flag), "--no-ui"]


def our_command(setup: Setup, serving: Serving) -> list[str]:
    """`sauropod serve`, with the options of our side as a library."""
    values = {
        "model": setup.model,
        "device": "cpu",
        "preload": "true",
        "threads": setup.threads,
        "slots": serving.slots,
        "context_length": serving.context,
        "cache_length": serving.context * serving.slots,
        "step_tokens": setup.step_tokens,
    }
    options = [part for name, value in values.items() for part in ("--set", f"models.measured.{name}={value}")]
    return [sys.executable, "-m", "sauropod", "serve", "--port", "{port}", "--database", ":memory:", *options]


def xllamacpp_command(setup: Setup, serving: Serving) -> list[str]:
    """The same server from xllamacpp's wheel, in a Python of its own."""
    numbers = (setup.threads, serving.slots, serving.context * serving.slots, setup.step_tokens)
    return [sys.executable, "-m", "benchmarks.harness.xllamacpp", str(setup.model), "{port}", *map(str, numbers)]


def _body(ask: Ask, pairs: bool) -> dict[str, Any]:
    body: dict[str, Any] = {
        "messages": [{"role": role, "content": text} for role, text in ask.messages],
        "max_tokens": ask.tokens,
        "temperature": 0,
        "ignore_eos": ask.schema is None,
        "logit_bias": list(ask.bias.items()) if pairs else {str(token): bias for token, bias in ask.bias.items()},
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if ask.schema is not None:
        schema = {"name": "answer", "schema": ask.schema, "strict": True}
        body["response_format"] = {"type": "json_schema", "json_schema": schema}
    return body


def _piece(event: dict[str, Any]) -> str:
    """The text an event brings, reasoning and answer alike."""
    choices = event.get("choices") or [{}]
    delta = choices[0].get("delta") or {}
    return (delta.get("reasoning_content") or "") + (delta.get("content") or "")


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
