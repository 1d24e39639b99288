"""Where a database is: from what users write to what SQLAlchemy takes."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from sauropod.server.store.errors import StoreError

__all__ = ["database_url", "in_memory", "prepare", "shown"]

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


def database_url(where: str) -> URL:
    """From a path, `:memory:`, or a URL of SQLite or Postgres. Raises `StoreError`."""
    if "://" not in where:
        path = where if where == ":memory:" else str(Path(where).expanduser())
        return URL.create(DRIVERS["sqlite"], database=path)
    try:
        url = make_url(where)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"{where!r} is no database URL: {error}") from None
    kind = url.get_backend_name() if url.drivername != "postgres" else "postgres"
    if kind not in DRIVERS:
        raise StoreError(
            f"There is no support for {kind} databases. Use a path or sqlite:///… for a file, or postgresql://…"
        )
    url = url.set(drivername=DRIVERS[kind])
    if kind == "sqlite":
        return url.set(database=url.database or ":memory:")
    if "sslmode" in url.query:  # libpq's name for it, which everybody writes; asyncpg's is another
        url = url.update_query_dict({"ssl": url.query["sslmode"]}).difference_update_query(["sslmode"])
    return url


def in_memory(url: URL) -> bool:
    """Whether nothing is left of it when it is closed."""
    return url.get_backend_name() == "sqlite" and url.database == ":memory:"


def shown(url: URL) -> str:
    """As a log may say it: no password."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(drivername="postgresql").render_as_string(hide_password=True)


def prepare(url: URL) -> None:
    """Make the file and its directory, for nobody but this user: what people say is in it. Raises `StoreError`."""
    if url.get_backend_name() != "sqlite" or in_memory(url):
        return
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(
            f"The database {path} cannot be opened: {error.strerror}. "
            "Name another with `database`, or `:memory:` to keep nothing."
        ) from error
