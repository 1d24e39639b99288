"""OpenAI's API over the models of this machine: `create_app()` is an ASGI application, `sauropod serve` runs it.

pip install "sauropod[server]"
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sauropod.server.app import create_app
    from sauropod.server.config import ConfigurationError, Settings

__all__ = ["ConfigurationError", "Settings", "create_app"]

_HOMES = {"create_app": "app", "Settings": "config", "ConfigurationError": "config"}


def __getattr__(name: str) -> Any:
    """What needs the extra is imported when it is asked for. Raises `BackendNotFound` where the extra is missing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    from sauropod.errors import BackendNotFound

    try:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("sauropod"):
            raise
        raise BackendNotFound(
            f'The server needs the package {error.name!r}. Install it with: pip install "sauropod[server]"'
        ) from error
