"""Looking at the worker behind an engine, and doing things to it."""

from __future__ import annotations

import os
import signal

import sauropod
from sauropod._handles import WorkerHandle
from sauropod._runtime.link import Link
from sauropod._runtime.transport import ProcessTransport


def link_of(engine: sauropod.Engine) -> Link:
    handle = engine._opened
    assert isinstance(handle, WorkerHandle)
    return handle.link


def pid_of(engine: sauropod.Engine) -> int:
    transport = link_of(engine)._transport
    assert isinstance(transport, ProcessTransport)
    return transport.process.pid


def kill_worker(engine: sauropod.Engine) -> None:
    os.kill(pid_of(engine), signal.SIGKILL)
