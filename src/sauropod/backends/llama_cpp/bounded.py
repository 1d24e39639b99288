"""Running native code that may recurse deeply or take too long."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

import attrs

__all__ = ["BoundedRuns"]

STACK = 256 * 1024 * 1024
"""Bytes; only what is used of it takes memory. A compiler that recurses once for each rule ends the process when it
comes to the end of a usual stack."""

_sizing = threading.Lock()

Result = TypeVar("Result")


@attrs.define(eq=False)
class BoundedRuns(Generic[Result]):
    """Each in a thread of its own, with much stack, waited for so many seconds. May be used from any thread."""

    seconds: float
    name: str
    _threads: list[threading.Thread] = attrs.field(factory=list)
    _lock: threading.Lock = attrs.field(factory=threading.Lock)

    def run(self, function: Callable[[], Result]) -> Result:
        """What the function gives or raises. Raises `TimeoutError` if it takes longer; it is not stopped by that."""
        future: Future[Result] = Future()

        def work() -> None:
            try:
                future.set_result(function())
            except BaseException as error:
                future.set_exception(error)

        thread = self._start(work)
        try:
            return future.result(self.seconds)
        finally:
            with self._lock:
                self._threads = [each for each in (*self._threads, thread) if each.is_alive()]

    def join(self) -> None:
        """Wait for those that took too long."""
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def _start(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=self.name, daemon=True)
        with _sizing:
            usual = threading.stack_size(STACK)
            try:
                thread.start()
            finally:
                threading.stack_size(usual)
        return thread
