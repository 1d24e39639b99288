"""Migrating: a database becomes what this version of sauropod knows, or is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from sauropod.server.store.errors import StoreError

__all__ = ["configuration", "migrate"]

LOCK = 7_283_786_701
"""Of Postgres' advisory locks, the one that servers which start together wait for each other at."""


def configuration(**attributes: Any) -> Config:
    """Alembic's, without a file."""
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


def migrate(connection: Connection) -> None:
    """Run what is missing. One server does while others wait. Raises `StoreError` for a newer database."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    config = configuration(connection=connection)
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    there = set(MigrationContext.configure(connection).get_current_heads())
    if unknown := there - known:
        raise StoreError(
            f"The database was written by a newer sauropod (its schema is {', '.join(sorted(unknown))}). "
            "Update this one, or name another database with `database`."
        )
    if there != set(scripts.get_heads()):
        command.upgrade(config, "head")
