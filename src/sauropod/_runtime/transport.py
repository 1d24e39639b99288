"""Where a worker runs, and how to talk to it: in a process of its own, or in a thread of this one."""

from __future__ import annotations

import contextlib
import os
import pickle
import queue
import re
import signal
import subprocess
import sys
import threading
from collections import deque
from multiprocessing.connection import Connection, Pipe
from typing import IO, TYPE_CHECKING, Any, Protocol

import attrs

from sauropod._log import log
from sauropod._runtime.protocol import Parcel, Replies, Request
from sauropod.errors import BackendCrashed, BackendError

if TYPE_CHECKING:
    from sauropod._runtime.worker import Worker

__all__ = ["ProcessTransport", "ThreadTransport", "Transport"]


LAST_LINES = 20
_RECORD = re.compile("\x1e(?P<level>[0-9]+)\x1f(?P<name>[^\x1f]*)\x1f(?P<message>.*)")
PATIENCE = 5.0
"""Seconds that a process gets to end by itself once it has closed its connection."""


class Transport(Protocol):
    """The parent's end of a worker. `send` and `close` may be called from any thread, `receive` from one."""

    def send(self, request: Request | Parcel) -> None:
        """Hand over a request. Lost without a word if the worker is gone; `receive` will tell."""

    def receive(self) -> Replies:
        """The next replies. Raises `EOFError` when the worker is gone."""

    def close(self) -> None:
        """End the worker. `receive` raises `EOFError` soon after."""

    def obituary(self) -> BackendCrashed:
        """What is known of the worker's end, after `EOFError`. Waits for the end of its process."""

    def disown(self) -> None:
        """Let go of it in a forked copy of this process, whose worker it is not."""


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
        try:
            with contextlib.ExitStack() as undo:
                self._connection, theirs = Pipe()
                undo.callback(self._connection.close)
                with theirs:
                    self.process = undo.enter_context(_spawn(theirs.fileno()))
                undo.callback(self.process.kill)
                self._reader = threading.Thread(target=self._log, name="sauropod-log", daemon=True)
                self._reader.start()
                undo.pop_all()
        except Exception as error:
            raise BackendError(
                f"The worker process could not be started with {sys.executable!r} ({error}). "
                'Load the model with isolation="thread" if this program cannot start others.'
            ) from error

    def send(self, request: Request | Parcel) -> None:
        message = pickle.dumps(request)
        with self._sending, contextlib.suppress(OSError, ValueError):
            self._connection.send_bytes(message)

    def receive(self) -> Replies:
        try:
            message = self._connection.recv_bytes()
        except (OSError, ValueError) as error:
            raise EOFError from error
        try:
            replies: Replies = pickle.loads(message)
        except Exception as error:  # a plug-in's value that can be pickled there but not unpickled here
            self._output.append(f"It said what cannot be unpickled ({type(error).__name__}: {error}).")
            self.process.kill()
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
        self._reader.join(PATIENCE)  # what the process had started itself may hold its output open
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

    def disown(self) -> None:
        self._connection.close()
        with open(os.devnull, "rb") as nothing:  # closing the output could wait for a lock of the thread that reads it
            os.dup2(nothing.fileno(), self._stdout.fileno(), inheritable=False)
        self.process.returncode = 0  # it is not this process that waits for it

    @property
    def _stdout(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def _log(self) -> None:
        """Pass the process's log records on as such, and whatever else it prints as information."""
        with self._stdout as output:
            for line in output:
                text = line.rstrip("\n")
                if record := _RECORD.search(text):
                    text = text[: record.start()]  # what native code had left without an end of line
                    log(record["name"]).log(int(record["level"]), "%s", record["message"])
                if text:
                    self._output.append(text)
                    log("sauropod.worker").info("%s", text)


def _spawn(handle: int) -> subprocess.Popen[str]:
    """A Python that runs `child.main` with this module search path, and inherits nothing but the handle."""
    path = [os.fsdecode(entry) for entry in sys.path if isinstance(entry, str | bytes | os.PathLike)]
    program = f"import sys; sys.path[:] = {path!r}; from sauropod._runtime.child import main; main({handle})"
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
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
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

    def send(self, request: Request | Parcel) -> None:
        self._worker.post(request.open() if isinstance(request, Parcel) else request)

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

    def disown(self) -> None: ...

    def _run(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:
            self._fault = error
        finally:
            self._replies.put(None)
