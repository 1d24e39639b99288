"""The command line as a user runs it: in this process, in one of its own, and at a terminal."""

from __future__ import annotations

import io
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import attrs
import pytest

from sauropod.cli import main
from sauropod.testing.models import tiny_llama

SAUROPOD = (sys.executable, "-m", "sauropod")

PATIENCE = 60.0
"""Seconds after which something that was waited for will never come; only a failing test takes so long."""


@attrs.frozen
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


class Call(Protocol):
    """Runs `sauropod` in this process. `stdin` is what is piped in."""

    def __call__(self, *arguments: str, stdin: bytes = b"") -> Outcome: ...


class Run(Protocol):
    """Runs `sauropod` in a process of its own, without a terminal."""

    def __call__(self, *arguments: str, stdin: bytes = b"", **environment: str) -> Outcome: ...


class Open(Protocol):
    """Starts `sauropod` at a terminal."""

    def __call__(self, *arguments: str, **environment: str) -> Terminal: ...


@attrs.define(eq=False)
class Terminal:
    """A program at a terminal of its own, where Ctrl-C is a signal and Ctrl-D an end."""

    command: Sequence[str]
    environment: Mapping[str, str]
    text: str = ""
    """All that it has shown so far."""
    _seen: int = 0
    _master: int = attrs.field(init=False)
    _process: subprocess.Popen[bytes] = attrs.field(init=False)

    def __enter__(self) -> Self:
        import termios  # not on Windows

        self._master, slave = os.openpty()
        termios.tcsetwinsize(slave, (24, 80))
        # A session leader that opens a terminal is controlled by it.
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec "$@" <"$0"', os.ttyname(slave), *self.command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={**os.environ, "TERM": "dumb", **self.environment},
        )
        os.close(slave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def type(self, text: str) -> None:
        """Type it, as it is: `"\\r"` is the return key, `"\\x03"` Ctrl-C, `"\\x04"` Ctrl-D."""
        os.write(self._master, text.encode())

    def expect(self, text: str) -> str:
        """Wait until this is shown, after what was expected before. What came since, up to its end."""
        return self.until(lambda shown: shown.index(text) + len(text) if text in shown else None)

    def until(self, end: Callable[[str], int | None]) -> str:
        """Wait until `end` finds a place in what is new."""
        deadline = time.monotonic() + PATIENCE
        while (found := end(self.text[self._seen :])) is None:
            assert self._read(deadline), f"it never came; shown was: {self.text[self._seen :]!r}"
        news = self.text[self._seen : self._seen + found]
        self._seen += found
        return news

    def exit_code(self) -> int:
        """Wait for its end."""
        while self._read(time.monotonic() + PATIENCE):
            pass
        return self._process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        """Take in more of what it shows. False when there will be no more."""
        ready, _, _ = select.select([self._master], [], [], max(0.0, deadline - time.monotonic()))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # EIO: nobody holds the terminal open any more
            data = b""
        self.text += data.decode("utf-8", "replace")
        return bool(data)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the models and settings of whoever runs it."""
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HF_ENDPOINT", "HF_HUB_OFFLINE", "SAUROPOD_MODELS", "SAUROPOD_TRACEBACK"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Call:
    def call(*arguments: str, stdin: bytes = b"") -> Outcome:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        return Outcome(code, *capsys.readouterr())

    return call


@pytest.fixture
def run() -> Run:
    def run(*arguments: str, stdin: bytes = b"", **environment: str) -> Outcome:
        ended = subprocess.run(
            [*SAUROPOD, *arguments],
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            env={**os.environ, **environment},
        )
        return Outcome(ended.returncode, ended.stdout.decode(), ended.stderr.decode())

    return run


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A real model file that says nonsense, and goes on until it is stopped."""
    return str(tiny_llama(tmp_path_factory.mktemp("models") / "tiny.gguf"))


@pytest.fixture
def terminal() -> Iterator[Open]:
    """Starts `sauropod` at a terminal; all are closed at the end."""
    if sys.platform == "win32":
        pytest.skip("no pseudo-terminals here")
    opened: list[Terminal] = []

    def start(*arguments: str, **environment: str) -> Terminal:
        opened.append(Terminal([*SAUROPOD, *arguments], environment).__enter__())
        return opened[-1]

    yield start
    for each in opened:
        each.__exit__(None, None, None)
