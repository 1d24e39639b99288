"""Fixtures for everyone."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sauropod.testing import models


def pytest_configure() -> None:
    """Let Ctrl-C work, here and in what is started from here: a shell's background jobs begin with it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every async test runs on both."""
    backend: str = request.param
    return backend


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model of half a megabyte that talks nonsense."""
    if importlib.util.find_spec("llama_cpp") is None:
        pytest.skip("llama-cpp-python is not installed")
    return models.tiny_llama(tmp_path_factory.mktemp("models") / "tiny.gguf", context_length=2048)


@pytest.fixture
async def nothing_leaks() -> AsyncIterator[None]:
    """Fails a test that leaves a child process, a thread of ours or a file descriptor behind.

    Async, so that the test's event loop, which has descriptors of its own, is there before and after.
    """
    before = _children(), _our_threads(), _descriptors()
    yield
    after = _children(), _our_threads(), _descriptors()
    assert after[0] == before[0], "a child process is left over"
    assert after[1] <= before[1], "a thread is left over"
    assert sorted(after[2] - before[2]) == [], "file descriptors are left open"


def _children() -> set[str]:
    found: set[str] = set()
    for task in Path(f"/proc/{os.getpid()}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # a thread that ended meanwhile
            found |= set(task.read_text().split())
    return found


def _our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("sauropod")}


def _descriptors() -> set[str]:
    """What this process has open, as /proc names it."""
    links = Path("/proc/self/fd")
    return (
        {f"{link.name}: {os.readlink(link)}" for link in links.iterdir() if link.is_symlink()}
        if links.exists()
        else set()
    )
