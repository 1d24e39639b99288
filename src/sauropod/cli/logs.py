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


class CleanFormatter(logging.Formatter):
    """Lines as a terminal may get them, whoever wrote them."""

    def format(self, record: logging.LogRecord) -> str:
        return clean(super().format(record), sys.stderr)


@contextmanager
def logging_to_stderr(verbose: int) -> Iterator[None]:
    """Meanwhile, show the library's log records. `verbose` 0: warnings. 1: what it does. 2: native libraries' too."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(CleanFormatter("%(name)s: %(message)s"))
    handler.addFilter(lambda record: verbose > 1 or _matters(record, verbose))
    logger, level = logging.getLogger("sauropod"), logging.getLogger("sauropod").level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG if verbose > 1 else logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _matters(record: logging.LogRecord, verbose: int) -> bool:
    least = QUIET.get(record.name, 0)
    return verbose >= least and record.levelno >= (logging.INFO if verbose > least else logging.WARNING)
