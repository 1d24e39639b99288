"""A worker in a process of its own, as that process sees it. It ends when its parent does.

Started by command line, never by forking: `transport.ProcessTransport` writes that line.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from sauropod._runtime.worker import Worker

if TYPE_CHECKING:
    from sauropod._runtime.protocol import Replies

__all__ = ["RECORD", "main", "open_connection"]

RECORD = "\x1e%(levelno)d\x1f%(name)s\x1f%(message)s"
"""How a log record is written to stderr, so that the parent can tell it from what native code prints."""

PARENT_CHECK = 1.0
"""Seconds. A connection closes when the parent dies, unless another child of the parent has inherited it."""


def main(handle: int) -> None:
    """Be a worker over the connection whose handle was inherited."""
    _log_to_stderr()
    connection = open_connection(handle)
    lock = threading.Lock()

    def send(replies: Replies) -> None:
        with lock:
            connection.send(replies)

    worker = Worker(send)
    threading.Thread(target=_listen, args=(connection, worker), name="sauropod-inbox", daemon=True).start()
    try:
        worker.run()
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the parent has gone


def open_connection(handle: int) -> Connection:
    """A connection over an inherited handle."""
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _listen(connection: Connection, worker: Worker) -> None:
    """Hand requests to the worker, also while it computes. Without a parent there is nothing left to do."""
    parent = os.getppid()
    while True:
        try:
            if connection.poll(PARENT_CHECK):
                worker.post(connection.recv())
            elif os.getppid() != parent:
                os._exit(0)
        except (EOFError, OSError):
            os._exit(0)


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(RECORD))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
