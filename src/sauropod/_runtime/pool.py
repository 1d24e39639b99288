"""Which workers there are: one for each device, shared by the models on it, ended when the last of them goes."""

from __future__ import annotations

import atexit
import itertools
import os
import threading
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

import attrs

from sauropod._runtime.link import Link
from sauropod._runtime.protocol import Parcel, Request
from sauropod.abc import Device

if TYPE_CHECKING:
    from sauropod._runtime.transport import Transport

__all__ = ["Isolation", "WorkerPool", "shared_pool"]

Isolation: TypeAlias = Literal["process", "thread"]


@attrs.define(eq=False)
class _Entry:
    link: Link
    users: int = 0


@attrs.define(eq=False)
class WorkerPool:
    """Links by worker name and isolation. Safe to use from any thread."""

    _entries: dict[tuple[str, Isolation], _Entry] = attrs.field(factory=dict)
    devices: dict[str, Sequence[Device]] = attrs.field(factory=dict)
    """What each backend can compute on, once it has been asked."""
    _lock: threading.Lock = attrs.field(factory=threading.Lock)
    _numbers: itertools.count[int] = attrs.field(factory=lambda: itertools.count(1))

    def number(self) -> int:
        """A number no exchange or model of this process has yet."""
        return next(self._numbers)

    def acquire(self, name: str, isolation: Isolation) -> Link:
        """The link to the worker of that name. It is started when something is first asked of it."""
        with self._lock:
            entry = self._entries.get((name, isolation))
            if entry is None:
                link = Link(name, lambda: _start(name, isolation), lambda request: _pack(request, isolation))
                entry = self._entries[name, isolation] = _Entry(link)
            entry.users += 1
            return entry.link

    def leave(self, link: Link) -> bool:
        """Give a link back. Whether that was its last user: then nobody else gets it, and its worker is ending."""
        with self._lock:
            key = next((key for key, entry in self._entries.items() if entry.link is link), None)
            if key is None:
                return False  # of another process, before a fork
            self._entries[key].users -= 1
            if self._entries[key].users:
                return False
            del self._entries[key]
        link.close()
        return True

    def close(self) -> None:
        """End all workers."""
        with self._lock:
            entries = list(self._entries.values())
        for entry in entries:
            entry.link.close()
        for entry in entries:
            entry.link.join()

    def disown(self) -> None:
        """In a forked copy of this process: its workers belong to the original, and engines there are closed here."""
        entries, self._entries = self._entries, {}
        self._lock = threading.Lock()
        for entry in entries.values():
            entry.link.disown()


def _start(name: str, isolation: Isolation) -> Transport:
    from sauropod._runtime.transport import ProcessTransport, ThreadTransport  # not before there is a worker to start

    return ProcessTransport(name) if isolation == "process" else ThreadTransport(name)


def _pack(request: Request, isolation: Isolation) -> Request | Parcel:
    return Parcel.of(request) if isolation == "process" else request


def _make_shared_pool() -> WorkerPool:
    pool = WorkerPool()
    atexit.register(pool.close)
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=pool.disown)
    return pool


shared_pool = _make_shared_pool()
"""The pool of this process. Two engines on one device can only take turns if they share its worker."""
