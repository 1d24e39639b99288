"""The loop in which models run: take what came in, compute one step, send what came out.

    while not stopped:
        do what has arrived
        step the model whose work is most urgent
        send all the step's results at once

It runs in a child process or in a thread, and does not know in which.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import NoReturn, Protocol, TypeAlias

import attrs

from sauropod._runtime.hosting import Host, Unheard
from sauropod._runtime.protocol import (
    Answer,
    Began,
    Cancel,
    Devices,
    Failed,
    Load,
    ModelRequest,
    Replies,
    Request,
    Unload,
)
from sauropod._runtime.registry import load_backend
from sauropod._runtime.speech_hosting import SpeechHost
from sauropod.abc import Backend, ModelInfo, SpeechInfo, SpeechModel
from sauropod.errors import BackendNotFound, ClosedError, SauropodError

__all__ = ["Worker"]

Work: TypeAlias = Callable[[], Replies]
"""Something to be done on the step thread."""
Action: TypeAlias = Callable[[], Answer | Began | None]
"""The same for one request: it is answered, or begins, or fails."""


MOST_OWED = 1.0
"""Seconds that a model which had to wait for more urgent ones gets back at once when it is as urgent as they are."""


class ModelHost(Protocol):
    """One model in a worker: `Host` for text, `SpeechHost` for what hears and speaks."""

    @property
    def info(self) -> ModelInfo | SpeechInfo: ...

    def accept(self, request: ModelRequest, received: float) -> Callable[[], Answer | Began | None]:
        """Do all of a request that needs no step, in the model's own thread. The rest is returned."""

    def interrupt(self, id: int) -> None: ...

    def cancel(self, id: int) -> None: ...

    def close(self) -> None: ...

    def urgency(self, now: float) -> int | None:
        """The rank of the most urgent work there is; None if there is none. Lower is more urgent."""

    def step(self, clock: Callable[[], float]) -> Replies: ...


@attrs.define(eq=False)
class Resident:
    """A model that lives in a worker, or is on its way there."""

    load: Callable[[], ModelHost]
    host: ModelHost | None = None
    """Once it is loaded, and the step thread knows."""
    stepped: int = 0
    """Which step of the worker was its last."""
    used: float = 0.0
    """Seconds of steps it has had, or missed by having nothing to do."""
    busy: bool = False
    awaited: set[int] = attrs.field(factory=set)
    """Requests that are being prepared, and that nobody has cancelled."""
    closed: bool = False
    preparer: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(1, "sauropod-prepare"))
    """Loads, then renders and encodes: what may take long without holding up anybody's steps."""
    hearer: ThreadPoolExecutor = attrs.field(factory=lambda: ThreadPoolExecutor(1, "sauropod-hear"))
    """Hears what is in prompts, which takes longer than others should wait for theirs. Its thread begins with that."""
    loading: Future[ModelHost] = attrs.field(init=False)
    closing: threading.Thread | None = None

    def __attrs_post_init__(self) -> None:
        self.loading = self.preparer.submit(self.load)

    def close(self, ended: Callable[[], object] = lambda: None) -> list[int]:
        """Give the model back, and say so when that is done. Returns who is left without an answer.

        Nobody waits for what is being prepared or heard: that ends in a thread of its own, while others go on. A model
        that is still loading is given back when it has been loaded, and is out of the way at once.
        """
        self.closed = True  # first: what is under way looks at it, and ends
        left, self.awaited = list(self.awaited), set()
        if self.loading.done():
            self.closing = threading.Thread(target=self._give_back, args=[ended], name="sauropod-close")
            self.closing.start()
        else:
            self.preparer.shutdown(wait=False)
            self.loading.add_done_callback(_close)
            ended()
        return left

    def join(self) -> None:
        """Wait until it has been given back, after `close`."""
        if self.closing is not None:
            self.closing.join()

    def _give_back(self, ended: Callable[[], object]) -> None:
        try:
            for thread in (self.preparer, self.hearer):  # in this order: the one hands on to the other
                thread.shutdown(wait=True, cancel_futures=True)
            _close(self.loading)
        finally:
            ended()


def _close(loading: Future[ModelHost]) -> None:
    if loading.exception() is None:
        loading.result().close()


@attrs.define(eq=False)
class Worker:
    """Hosts models. `post` and `stop` may be called from any thread; the one that calls `run` is the step thread."""

    send: Callable[[Replies], None]
    clock: Callable[[], float] = time.monotonic
    _inbox: queue.SimpleQueue[Work] = attrs.field(factory=queue.SimpleQueue)
    _residents: dict[int, Resident] = attrs.field(factory=dict)
    _steps: int = 0
    _least: float = 0.0
    """What the model that was stepped last had had before."""
    _stopping: threading.Event = attrs.field(factory=threading.Event)

    def post(self, request: Request) -> None:
        """Take a request in. What need not wait for a running step does not: to prepare a text, or to cancel one."""
        received = self.clock()
        if isinstance(request, Cancel):
            for resident in list(self._residents.values()):
                if resident.host is not None:
                    resident.host.interrupt(request.id)
        elif isinstance(request, ModelRequest) and request.model in self._residents:
            replies = self._prepare(request, received)
            self._inbox.put(lambda: replies)
            return
        self._inbox.put(partial(self._handle, request, received))

    def refuse(self, id: int, error: SauropodError) -> None:
        """Answer a request that did not arrive whole."""
        self._inbox.put(lambda: [(id, Failed.of(error))])

    def stop(self) -> None:
        """Leave the loop after the step that is running, and close all models."""
        self._stopping.set()
        self._inbox.put(list)

    def run(self) -> None:
        """Work until `stop`."""
        while not self._stopping.is_set():
            replies = self._take()
            resident = self._most_urgent()
            if resident is not None and resident.host is not None:
                replies += self._step(resident, resident.host)
            if replies:
                self.send(replies)
        for resident in self._residents.values():
            resident.close()
        for resident in self._residents.values():
            resident.join()

    def _step(self, resident: Resident, host: ModelHost) -> Replies:
        self._steps += 1
        resident.stepped = self._steps
        began, self._least = self.clock(), resident.used
        replies = host.step(self.clock)
        resident.used += self.clock() - began
        return replies

    def _take(self) -> Replies:
        """Do all that is in the inbox. If there is nothing else to do, wait for something to come."""
        replies: Replies = []
        if self._most_urgent() is None:
            replies += self._inbox.get()()
        while not self._inbox.empty():
            replies += self._inbox.get()()
        return replies

    def _most_urgent(self) -> Resident | None:
        """The model to step; of equally urgent ones the one that has had least, so that a step that takes long is
        followed by as much of the others'."""
        now = self.clock()
        found: list[tuple[int, float, int, Resident]] = []
        for resident in self._residents.values():
            urgency = resident.host.urgency(now) if resident.host is not None else None
            if urgency is not None:
                owed = MOST_OWED if resident.busy else 0.0  # what it did not want meanwhile is not owed to it
                resident.used = max(resident.used, self._least - owed)
                found.append((urgency, resident.used, resident.stepped, resident))
            resident.busy = urgency is not None
        return min(found, key=lambda each: each[:3])[3] if found else None

    def _handle(self, request: Request, received: float) -> Replies:
        match request:
            case Load():
                return self._load(request)
            case Unload():
                return self._unload(request)
            case Cancel():
                return self._cancel(request)
            case Devices():
                return self._devices(request)
            case _:
                return self._prepare(request, received)

    # -- models come and go ----------------------------------------------------------------------------------------

    def _load(self, request: Load) -> Replies:
        resident = self._residents[request.model] = Resident(partial(_make_host, request))
        resident.loading.add_done_callback(lambda _: self._inbox.put(partial(self._loaded, request, resident)))
        return []

    def _loaded(self, request: Load, resident: Resident) -> Replies:
        if self._residents.get(request.model) is not resident:
            return []  # unloaded meanwhile
        if (error := resident.loading.exception()) is not None:
            del self._residents[request.model]
            return [(id, Failed.of(error)) for id in (request.id, *resident.close())]
        resident.host = resident.loading.result()
        return [(request.id, Answer(resident.host.info))]

    def _unload(self, request: Unload) -> Replies:
        resident = self._residents.pop(request.model, None)
        if resident is None:
            return [(request.id, Answer(None))]
        left = resident.close(lambda: self._inbox.put(lambda: [(request.id, Answer(None))]))
        return [(id, _not_loaded()) for id in left]

    def _devices(self, request: Devices) -> Replies:
        def ask() -> None:
            answer = _attempt(request.id, lambda: Answer(tuple(_worker_backend(request.backend).devices())))
            self._inbox.put(lambda: answer)

        threading.Thread(target=ask, name="sauropod-devices", daemon=True).start()  # may load a library
        return []

    # -- texts -----------------------------------------------------------------------------------------------------

    def _prepare(self, request: ModelRequest, received: float) -> Replies:
        """Render and encode in the model's own thread, behind its load if that is still going on."""
        resident = self._residents.get(request.model)
        if resident is None:
            return [(request.id, _not_loaded())]
        resident.awaited.add(request.id)

        def prepare() -> None:
            if not wanted():
                return
            action = _accepted(request, resident.loading, received)
            if isinstance(action, Unheard):
                with contextlib.suppress(RuntimeError):  # closed a moment ago: nobody waits
                    resident.hearer.submit(hear, action)
            else:
                admit(action)

        def hear(action: Unheard) -> None:
            if wanted():
                admit(_heard(action, wanted))

        def wanted() -> bool:
            return request.id in resident.awaited and not resident.closed

        def admit(action: Action) -> None:
            work = partial(_attempt, request.id, action)
            self._inbox.put(partial(self._admit, request.id, resident, work))

        try:
            resident.preparer.submit(prepare)
        except RuntimeError:  # closed a moment ago, by the other thread
            return [(request.id, _not_loaded())]
        return []

    def _admit(self, id: int, resident: Resident, work: Work) -> Replies:
        if id not in resident.awaited:
            return []
        resident.awaited.discard(id)
        return work()

    def _cancel(self, request: Cancel) -> Replies:
        for resident in self._residents.values():
            resident.awaited.discard(request.id)
            if resident.host is not None:
                resident.host.cancel(request.id)
        return []


def _accepted(request: ModelRequest, loading: Future[ModelHost], received: float) -> Action:
    """What is left to do on the step thread, once the text of a request has become tokens."""
    try:
        return loading.result().accept(request, received)
    except Exception as error:
        return partial(_fail, error)


def _heard(action: Unheard, wanted: Callable[[], bool]) -> Action:
    """The same, once what is attached to it has been heard."""
    try:
        action.hear(wanted)
    except Exception as error:
        return partial(_fail, error)
    return action


def _fail(error: Exception) -> NoReturn:
    raise error


def _not_loaded() -> Failed:
    return Failed(ClosedError("The model is not loaded, or no longer. Open a new engine."))


def _make_host(request: Load) -> ModelHost:
    model = _worker_backend(request.backend).load(request.source, request.options)
    host: ModelHost = (
        SpeechHost(model, request.scheduling) if isinstance(model, SpeechModel) else Host(model, request.scheduling)
    )
    return host


def _worker_backend(name: str) -> Backend:
    backend = load_backend(name)
    if not isinstance(backend, Backend):
        raise BackendNotFound(f"The backend {name!r} reaches models elsewhere and has no place in a worker.")
    return backend


def _attempt(id: int, action: Action) -> Replies:
    """Do something that answers at once, or only begins, or fails."""
    try:
        answer = action()
    except Exception as error:
        return [(id, Failed.of(error))]
    return [(id, answer)] if answer is not None else []
