"""Directories that environment variables name."""

from __future__ import annotations

import os
from pathlib import Path

from sauropod.errors import LoadError

__all__ = ["named_directory"]


def named_directory(named: str, variable: str) -> Path:
    """Where `named`, the value of an environment variable, leads. Raises `LoadError` if its `~` is nobody's home."""
    try:
        return Path(os.path.expandvars(named)).expanduser().absolute()
    except RuntimeError as error:
        raise LoadError(
            f"{named!r} is in a home that is not known here. Set {variable} to another directory."
        ) from error
