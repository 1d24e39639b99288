"""What the library logs, on stderr: warnings, and the more the more often `-v` was given."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sauropod.cli.terminal import clean

__all__ = ["logging_to_stderr"]

QUIET = {"sauropod.worker": 1, "sauropod.llama_cpp": 2}
"""How often `-v` must be given for these to be heard: what matters of them to everybody is raised as an error."""

TOLD = ("sauropod.server", "uvicorn.access")
"""What these say is what there is to see of a server."""


class CleanFormatter(logging.Formatter):
    """Lines as a terminal may get them, whoever wrote them."""

    def format(self, record: logging.LogRecord) -> str:
        begin = self.formatTime(record, "%Y-%m-%d %H:%M:%S ") if record.name in TOLD else f"{record.name}: "
        return clean(begin + super().format(record), sys.stderr)


@contextmanager
def logging_to_stderr(verbose: int) -> Iterator[None]:
    """Meanwhile, show the library's log records. `verbose` 0: warnings. 1: what it does. 2: native libraries' too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter("%(message)s"))
    handler.addFilter(lambda record: verbose > 1 or _matters(record, verbose))
    loggers = [logging.getLogger("sauropod"), logging.getLogger("uvicorn")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)


def _matters(record: logging.LogRecord, verbose: int) -> bool:
    if record.name in TOLD:
        return record.levelno >= logging.INFO
    least = QUIET.get(record.name, 0)
    return verbose >= least and record.levelno >= (logging.INFO if verbose > least else logging.WARNING)
