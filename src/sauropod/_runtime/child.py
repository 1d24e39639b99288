"""A worker in a process of its own, as that process sees it. It ends when its parent does.

Started by command line, never by forking: `transport.ProcessTransport` writes that line.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import sys
import threading
import traceback
from multiprocessing.connection import Connection
from typing import NoReturn

from sauropod._runtime.protocol import Parcel, pack
from sauropod._runtime.worker import Worker
from sauropod.errors import UnsupportedInput

__all__ = ["RECORD", "main", "open_connection"]

RECORD = "\x1e%(levelno)d\x1f%(name)s\x1f%(message)s"
"""How a log record is written to stderr, so that the parent can tell it from what native code prints."""

PARENT_CHECK = 1.0
"""Seconds. A connection closes when the parent dies, unless another child of the parent has inherited it."""


def main(handle: int) -> None:
    """Be a worker over the connection whose handle was inherited."""
    # before numpy: on a busy machine the threads of its BLAS take ten times as long for one small product
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _log_to_stderr()
    connection = open_connection(handle)
    worker = Worker(lambda replies: connection.send_bytes(pack(replies)))  # called by the step thread alone
    threading.Thread(target=_listen, args=(connection, worker), name="sauropod-inbox", daemon=True).start()
    try:
        worker.run()
    except BaseException as error:
        _end(error)


def open_connection(handle: int) -> Connection:
    """A connection over an inherited handle."""
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    return Connection(handle)


def _listen(connection: Connection, worker: Worker) -> None:
    """Hand requests to the worker, also while it computes. Without a parent there is nothing left to do."""
    parent = os.getppid()
    try:
        while True:
            if connection.poll(PARENT_CHECK):
                _take(connection.recv_bytes(), worker)
            elif os.getppid() != parent:
                raise EOFError
    except BaseException as error:
        _end(error)


def _take(message: bytes, worker: Worker) -> None:
    sent = pickle.loads(message)
    try:
        request = sent.open() if isinstance(sent, Parcel) else sent
    except UnsupportedInput as error:
        worker.refuse(sent.id, error)
    else:
        worker.post(request)


def _end(error: BaseException) -> NoReturn:
    """End at once, whatever the other threads do: a process in which nobody listens, or steps, helps nobody."""
    if isinstance(error, EOFError | ConnectionError):
        os._exit(0)  # the parent has gone
    try:
        traceback.print_exception(error)
    finally:
        os._exit(1)


def _log_to_stderr() -> None:
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # both go into one pipe, line by line
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter(RECORD))
    logging.basicConfig(handlers=[handler], level=logging.DEBUG)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
