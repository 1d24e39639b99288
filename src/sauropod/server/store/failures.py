"""Failures: what a database reports, as an error of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from sauropod.server.store.errors import StoreError

__all__ = ["translated", "translating"]


def translated(error: Exception) -> Exception:
    """A database's failure as `StoreError`, with it as the cause; anything else as it is."""
    if not isinstance(error, SQLAlchemyError | OSError):
        return error
    failed = StoreError(f"The database failed: {_said(error)}")
    failed.__cause__ = error
    return failed


@contextmanager
def translating() -> Iterator[None]:
    """Raises `StoreError` for what the database does not do."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        raise translated(error) from error


def _said(error: Exception) -> str:
    """Without the statement and its values, which are what people said."""
    return str(error.orig if isinstance(error, DBAPIError) else error).strip() or type(error).__name__
