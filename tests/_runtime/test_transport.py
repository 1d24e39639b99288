"""A worker process and the way to it, when what is sent or said is not what anybody expected."""

from __future__ import annotations

import errno
import pickle
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sauropod._runtime import transport as transport_module
from sauropod._runtime.protocol import Answer, Devices, Failed, Parcel
from sauropod._runtime.transport import ProcessTransport
from sauropod.errors import BackendError, UnsupportedInput


class Runs:
    """A value that is unpickled by computing an expression."""

    def __init__(self, expression: str) -> None:
        self.expression = expression

    def __reduce__(self) -> tuple[Any, ...]:
        return eval, (self.expression,)


@pytest.fixture
def worker() -> Iterator[ProcessTransport]:
    worker = ProcessTransport("test")
    yield worker
    worker.close()
    worker.obituary()


def works(worker: ProcessTransport) -> bool:
    worker.send(Parcel.of(Devices(99, "fake")))
    [(id, reply)] = worker.receive()
    return id == 99 and isinstance(reply, Answer)


def test_a_request_that_cannot_be_unpickled_is_refused_and_the_next_is_not(worker: ProcessTransport) -> None:
    worker.send(Parcel.of(Devices(1, Runs("1 / 0"))))  # type: ignore[arg-type]
    [(id, reply)] = worker.receive()
    assert id == 1
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, UnsupportedInput)
    assert "cannot read the request (ZeroDivisionError" in str(reply.error)
    assert works(worker)


def test_a_process_in_which_nobody_listens_any_more_ends(worker: ProcessTransport) -> None:
    worker._connection.send_bytes(b"no pickle at all")
    with pytest.raises(EOFError):
        worker.receive()
    end = worker.obituary()
    assert end.exit_code == 1
    assert any("UnpicklingError" in line for line in end.output)


def test_a_process_that_says_what_cannot_be_unpickled_has_crashed(
    worker: ProcessTransport, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_arguments_are_missing(_: bytes) -> NoReturn:
        raise TypeError("RateError.__init__() missing 1 argument")

    worker.send(Parcel.of(Devices(1, "fake")))
    monkeypatch.setattr(pickle, "loads", two_arguments_are_missing)
    with pytest.raises(EOFError):
        worker.receive()
    assert "TypeError: RateError" in worker.obituary().output[-1]


def test_what_is_printed_to_stdout_is_heard(worker: ProcessTransport) -> None:
    printing = "(__import__('os').write(1, b'from native code, without an end of line'), 'fake')[1]"
    worker.send(Parcel.of(Devices(1, Runs(printing))))  # type: ignore[arg-type]
    [(_, reply)] = worker.receive()
    assert isinstance(reply, Answer)
    worker.close()
    assert worker.obituary().output == ("from native code, without an end of line",)


def test_a_log_record_after_an_unended_line_is_a_log_record(
    worker: ProcessTransport, caplog: pytest.LogCaptureFixture
) -> None:
    logging = "(__import__('os').write(1, b'dots ...'), __import__('logging').getLogger('x').warning('!'), 'fake')[2]"
    worker.send(Parcel.of(Devices(1, Runs(logging))))  # type: ignore[arg-type]
    worker.receive()
    worker.close()
    assert worker.obituary().output == ("dots ...",)
    assert ("x", 30, "!") in caplog.record_tuples


def test_a_search_path_may_hold_what_is_no_string(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path, Path("somewhere"), None])
    worker = ProcessTransport("test")
    try:
        assert works(worker)
    finally:
        worker.close()
        worker.obituary()


@pytest.mark.parametrize("fault", ["no descriptors", "no executable", "no threads"])
def test_a_process_that_cannot_be_started_is_an_error(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(errno.EMFILE, "Too many open files") if fault == "no descriptors" else RuntimeError("no threads")

    if fault == "no executable":
        monkeypatch.setattr(sys, "executable", None)
    elif fault == "no descriptors":
        monkeypatch.setattr(transport_module, "Pipe", fail)
    else:
        monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(BackendError, match=r"could not be started .* Load the model with isolation"):
        ProcessTransport("test")
