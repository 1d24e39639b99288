"""Our loggers. `logging` is imported with the first of them: it is a tenth of `import sauropod`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from logging import Logger

__all__ = ["log"]


def log(name: str) -> Logger:
    """The logger of this name, which begins with `sauropod`. Nothing is shown unless the application wants it."""
    import logging

    ours = logging.getLogger("sauropod")
    if not any(isinstance(handler, logging.NullHandler) for handler in ours.handlers):
        ours.addHandler(logging.NullHandler())
    return logging.getLogger(name)
