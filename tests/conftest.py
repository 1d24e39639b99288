"""Fixtures for everyone."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sauropod.testing import models


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every async test runs on both."""
    backend: str = request.param
    return backend


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real model of half a megabyte that talks nonsense."""
    pytest.importorskip("llama_cpp", reason="llama-cpp-python is not installed")
    return models.tiny_llama(tmp_path_factory.mktemp("models") / "tiny.gguf", context_length=2048)


@pytest.fixture
def nothing_leaks() -> Iterator[None]:
    """Fails a test that leaves a child process, a thread of ours or a file descriptor behind."""
    before = _children(), _our_threads(), _descriptors()
    yield
    after = _children(), _our_threads(), _descriptors()
    assert after[0] == before[0], "a child process is left over"
    assert after[1] <= before[1], "a thread is left over"
    assert after[2] <= before[2], "file descriptors are left open"


def _children() -> set[str]:
    tasks = Path(f"/proc/{os.getpid()}/task")
    return {pid for task in tasks.glob("*/children") for pid in task.read_text().split()} if tasks.exists() else set()


def _our_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate() if thread.name.startswith("sauropod")}


def _descriptors() -> int:
    descriptors = Path("/proc/self/fd")
    return len(list(descriptors.iterdir())) if descriptors.exists() else 0
