"""Databases to test against: SQLite in memory and in a file, and a Postgres that is started for it."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

__all__ = ["Postgres", "postgres", "postgres_missing"]


def _program(name: str) -> str | None:
    found = [shutil.which(name), *sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)]
    return next((each for each in found if each), None)


def postgres_missing() -> str | None:
    """Why there is no Postgres to test against, if so."""
    pytest.importorskip("asyncpg")
    if _program("initdb") is None or _program("postgres") is None:
        return "PostgreSQL is not installed (Debian: postgresql)"
    if os.name == "posix" and os.getuid() == 0 and shutil.which("runuser") is None:
        return "PostgreSQL does not run as root, and there is no runuser to run it as another"
    return None


@attrs.frozen
class Postgres:
    """A server on a socket in a directory of its own."""

    directory: Path
    _run: Callable[..., subprocess.CompletedProcess[str]]

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.directory}"

    def new(self) -> str:
        """The URL of an empty database."""
        name = f"test_{secrets.token_hex(6)}"
        psql = _program("psql")
        assert psql is not None
        self._run(psql, "-qh", str(self.directory), "-U", "postgres", "-c", f"CREATE DATABASE {name}")
        return self.url(name)


@contextmanager
def postgres(*, durable: bool = False) -> Iterator[Postgres]:
    """A server that ends with the block. Without `durable` it does not wait for the disk."""
    directory = Path(tempfile.mkdtemp(prefix="sauropod-pg-"))
    as_other = _as_other(directory)

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*as_other, *command], check=True, capture_output=True, text=True, cwd="/", timeout=60)

    initdb, pg_ctl, data = _program("initdb"), _program("pg_ctl"), str(directory / "data")
    assert initdb is not None
    assert pg_ctl is not None
    options = f"-c listen_addresses='' -c unix_socket_directories='{directory}' -c max_connections=40"
    if not durable:
        options += " -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    try:
        run(initdb, "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
        run(pg_ctl, "-D", data, "-w", "-l", str(directory / "log"), "-o", options, "start")
        try:
            yield Postgres(directory, run)
        finally:
            run(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _as_other(directory: Path) -> list[str]:
    if os.getuid() != 0:
        return []
    shutil.chown(directory, "postgres", "postgres")
    return ["runuser", "-u", "postgres", "--"]
