"""Where a worker runs, and how to talk to it: in a process of its own, or in a thread of this one."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import signal
import subprocess
import sys
import threading
from collections import deque
from multiprocessing.connection import Connection, Pipe
from typing import IO, TYPE_CHECKING, Any, Protocol

import attrs

from sauropod._runtime.protocol import Replies, Request
from sauropod.errors import BackendCrashed, BackendError

if TYPE_CHECKING:
    from sauropod._runtime.worker import Worker

__all__ = ["ProcessTransport", "ThreadTransport", "Transport"]

logger = logging.getLogger("sauropod.worker")

LAST_LINES = 20
PATIENCE = 5.0
"""Seconds that a process gets to end by itself once it has closed its connection."""


class Transport(Protocol):
    """The parent's end of a worker. `send` and `close` may be called from any thread, `receive` from one."""

    def send(self, request: Request) -> None:
        """Hand over a request. Lost without a word if the worker is gone; `receive` will tell."""

    def receive(self) -> Replies:
        """The next replies. Raises `EOFError` when the worker is gone."""

    def close(self) -> None:
        """End the worker. `receive` raises `EOFError` soon after."""

    def obituary(self) -> BackendCrashed:
        """What is known of the worker's end, after `EOFError`. Waits for the end of its process."""


@attrs.define(eq=False)
class ProcessTransport:
    """A worker in a child process, so that what native code does to itself happens there.

    Raises `BackendError` if the process cannot be started.
    """

    name: str
    process: subprocess.Popen[str] = attrs.field(init=False)
    _connection: Connection = attrs.field(init=False)
    _sending: threading.Lock = attrs.field(factory=threading.Lock)
    _output: deque[str] = attrs.field(factory=lambda: deque(maxlen=LAST_LINES))
    _reader: threading.Thread = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._connection, theirs = Pipe()
        try:
            self.process = _spawn(theirs.fileno())
        except OSError as error:
            self._connection.close()
            raise BackendError(
                f"The worker process could not be started with {sys.executable!r} ({error}). "
                'Load the model with isolation="thread" if this program cannot start others.'
            ) from error
        finally:
            theirs.close()
        assert self.process.stderr is not None
        self._reader = threading.Thread(target=self._log, args=(self.process.stderr,), name="sauropod-log", daemon=True)
        self._reader.start()

    def send(self, request: Request) -> None:
        with self._sending, contextlib.suppress(OSError, ValueError):
            self._connection.send(request)

    def receive(self) -> Replies:
        try:
            replies: Replies = self._connection.recv()
        except (OSError, ValueError) as error:
            raise EOFError from error
        return replies

    def close(self) -> None:
        self.process.kill()  # nothing in there needs an orderly end, and no state it could be in prevents this one

    def obituary(self) -> BackendCrashed:
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join()
        with self._sending:
            self._connection.close()
        cause = signal.Signals(-code).name if code < 0 else None
        how = f"killed by {cause}" if cause else f"ended with exit code {code}"
        how += ", as happens when memory runs out" if cause == "SIGKILL" else ""
        last = f" Its last words: {' · '.join(list(self._output)[-3:])}" if self._output else ""
        return BackendCrashed(
            f"The worker process {self.name!r} was {how}.{last}",
            signal=cause,
            exit_code=None if cause else code,
            output=tuple(self._output),
        )

    def _log(self, stderr: IO[str]) -> None:
        """Pass the process's log records on as such, and whatever else it prints as information."""
        with stderr:
            for line in stderr:
                text = line.rstrip("\n")
                if text.startswith("\x1e") and text.count("\x1f") >= 2:
                    level, name, message = text[1:].split("\x1f", 2)
                    logging.getLogger(name).log(int(level), "%s", message)
                elif text:
                    self._output.append(text)
                    logger.info("%s", text)


def _spawn(handle: int) -> subprocess.Popen[str]:
    """A Python that runs `child.main` with this module search path, and inherits nothing but the handle."""
    program = f"import sys; sys.path[:] = {sys.path!r}; from sauropod._runtime.child import main; main({handle})"
    start: dict[str, Any]
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        startup = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        start = {"startupinfo": startup, "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    else:  # a session of its own keeps it from the terminal's Ctrl-C, which is for this process to handle
        start = {"pass_fds": [handle], "start_new_session": True}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        **start,
    )


@attrs.define(eq=False)
class ThreadTransport:
    """A worker in a thread of this process: nothing is isolated, and nothing is copied."""

    name: str
    _worker: Worker = attrs.field(init=False)
    _replies: queue.SimpleQueue[Replies | None] = attrs.field(factory=queue.SimpleQueue)
    _thread: threading.Thread = attrs.field(init=False)
    _fault: BaseException | None = None

    def __attrs_post_init__(self) -> None:
        from sauropod._runtime.worker import Worker  # a parent of processes never needs it

        self._worker = Worker(self._replies.put)
        self._thread = threading.Thread(target=self._run, name=f"sauropod-worker-{self.name}", daemon=True)
        self._thread.start()

    def send(self, request: Request) -> None:
        self._worker.post(request)

    def receive(self) -> Replies:
        replies = self._replies.get()
        if replies is None:
            raise EOFError
        return replies

    def close(self) -> None:
        self._worker.stop()

    def obituary(self) -> BackendCrashed:
        self._thread.join()
        crashed = BackendCrashed(f"The worker thread {self.name!r} ended: {self._fault!r}.")
        crashed.__cause__ = self._fault
        return crashed

    def _run(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:
            self._fault = error
        finally:
            self._replies.put(None)
