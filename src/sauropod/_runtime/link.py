"""The parent's end of a worker: who waits for what, and what happens when the worker is lost."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from sauropod._runtime.mailbox import Mailbox
from sauropod._runtime.protocol import Answer, Cancel, Failed, Generate, Load, Piece, Reply, Request, Unload
from sauropod.errors import BackendCrashed, ClosedError, SauropodError

if TYPE_CHECKING:
    from sauropod._runtime.transport import Transport

__all__ = ["Exchange", "Link"]

logger = logging.getLogger("sauropod.worker")

_CLOSED = "The engine was closed while this request was in flight."

MOST_CRASHES = 2
"""A request that is to blame for so many is not tried again."""


@attrs.define(eq=False)
class Exchange:
    """A request under way. Replies come to `mailbox`, with `key` to tell several exchanges in one mailbox apart."""

    request: Request
    mailbox: Mailbox[tuple[int, Reply]]
    key: int = 0
    tokens: list[int] = attrs.field(factory=list)
    """What a `Generate` has said so far, with which it can be resumed."""
    crashes: int = 0

    @property
    def id(self) -> int:
        return self.request.id

    def resumption(self) -> Request:
        """The request as it is sent to a new worker."""
        if isinstance(self.request, Generate):
            return attrs.evolve(self.request, generated=(*self.request.generated, *self.tokens))
        return self.request


@attrs.define(eq=False)
class Link:
    """Talks to one worker, and puts a new one in its place when it crashes.

    After a crash the models are loaded again and the requests that were in flight go on where they were, one at a
    time until each has shown a sign of life. So if one of them kills the worker again, it is known which. One that
    has done so twice is given up with the crash as its error. Safe to use from any thread.
    """

    name: str
    start: Callable[[], Transport]
    _lock: threading.RLock = attrs.field(factory=threading.RLock)
    _transport: Transport | None = None
    _thread: threading.Thread | None = None
    _unsent: list[Request] = attrs.field(factory=list)
    """What was asked for while there was no worker to send it to."""
    _exchanges: dict[int, Exchange] = attrs.field(factory=dict)
    _models: dict[int, Load] = attrs.field(factory=dict)
    _suspects: deque[Exchange] = attrs.field(factory=deque)
    """To be resumed, when the one before has shown a sign of life."""
    _on_trial: Exchange | None = None
    _closed: bool = False

    # -- asking ----------------------------------------------------------------------------------------------------

    def submit(self, exchange: Exchange) -> None:
        """Send a request. Its replies come to its mailbox, a `Failed` among them if the worker is lost for good."""
        with self._lock:
            if self._closed:
                raise ClosedError("The engine's worker has been closed. Open a new engine.")
            if isinstance(exchange.request, Load):
                self._models[exchange.request.model] = exchange.request
            elif isinstance(exchange.request, Unload):
                self._dismiss(exchange.request.model)
                if self._thread is None:  # the model went with the worker
                    exchange.mailbox.put((exchange.key, Answer(None)))
                    return
            self._exchanges[exchange.id] = exchange
            self._send(exchange.request)

    def cancel(self, exchange: Exchange) -> None:
        """Nobody waits for this exchange any more. Costs nothing if it has ended already."""
        with self._lock:
            if self._exchanges.pop(exchange.id, None) is None:
                return
            if exchange in self._suspects:
                self._suspects.remove(exchange)
            else:
                self._send(Cancel(exchange.id))
            self._next_trial_after(exchange)

    def _dismiss(self, model: int) -> None:
        """The model goes: who still waits for something from it learns that."""
        self._models.pop(model, None)
        for exchange in list(self._exchanges.values()):
            if getattr(exchange.request, "model", None) == model:
                self.cancel(exchange)
                exchange.mailbox.put((exchange.key, Failed(ClosedError(_CLOSED))))

    def close(self) -> None:
        """End the worker and wait for that. Requests in flight fail with `ClosedError`."""
        with self._lock:
            self._closed = True
            transport, thread = self._transport, self._thread
        if transport is not None:
            transport.close()
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _send(self, request: Request) -> None:
        if self._transport is not None:
            self._transport.send(request)
            return
        self._unsent.append(request)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=f"sauropod-link-{self.name}", daemon=True)
            self._thread.start()

    # -- the thread that listens -----------------------------------------------------------------------------------

    def _run(self) -> None:
        """One worker's life, from start to end, and another's if somebody still waits for something."""
        while self._live():
            pass

    def _live(self) -> bool:
        try:
            transport = self.start()
        except SauropodError as error:
            self._give_up(error)
            return False
        with self._lock:
            self._transport = transport
            unsent = [request for request in self._unsent if not isinstance(request, Load)]
            self._unsent = []
            for request in (*self._models.values(), *unsent):
                transport.send(request)
            if self._closed:
                transport.close()
        while True:
            try:
                replies = transport.receive()
            except EOFError:
                return self._recover(transport)
            with self._lock:
                for id, reply in replies:
                    self._deliver(id, reply)

    def _deliver(self, id: int, reply: Reply) -> None:
        if isinstance(reply, Failed):
            self._models = {model: load for model, load in self._models.items() if load.id != id}
        exchange = self._exchanges.get(id)
        if exchange is None:
            return  # cancelled meanwhile, or a model that was loaded again
        if isinstance(reply, Piece):
            exchange.tokens.append(reply.token)
        else:
            del self._exchanges[id]
        exchange.mailbox.put((exchange.key, reply))
        self._next_trial_after(exchange)

    # -- after a crash ---------------------------------------------------------------------------------------------

    def _recover(self, transport: Transport) -> bool:
        """The worker is gone. Whether another is needed now."""
        crash = transport.obituary()
        with self._lock:
            self._transport = None
            if self._closed:
                self._give_up(ClosedError(_CLOSED))
                return False
            logger.warning("%s %d requests were in flight.", crash, len(self._exchanges))
            self._blame(crash)
            in_flight = [each for each in self._exchanges.values() if each not in self._suspects]
            self._suspects.extend(sorted(in_flight, key=lambda each: each.crashes))
            self._on_trial = None
            if not self._suspects and not self._unsent:
                self._thread = None
                return False
            self._try_next()
            return True

    def _blame(self, crash: BackendCrashed) -> None:
        """Count the crash against the request on trial, or else all in flight. A load is to blame at once."""
        loading = [each for each in self._exchanges.values() if isinstance(each.request, Load)]
        suspects = [self._on_trial] if self._on_trial is not None else list(self._exchanges.values())
        for exchange in loading or suspects:
            exchange.crashes += 1
            if isinstance(exchange.request, Load):
                self._models.pop(exchange.request.model, None)
            if exchange in loading or exchange.crashes >= MOST_CRASHES:
                del self._exchanges[exchange.id]
                exchange.mailbox.put((exchange.key, Failed(_verdict(crash, exchange))))

    def _next_trial_after(self, exchange: Exchange) -> None:
        if exchange is self._on_trial:
            self._on_trial = None
            self._try_next()

    def _try_next(self) -> None:
        while self._suspects and self._on_trial is None:
            exchange = self._suspects.popleft()
            if exchange.id in self._exchanges:
                self._on_trial = exchange
                self._send(exchange.resumption())

    def _give_up(self, error: SauropodError) -> None:
        with self._lock:
            for exchange in self._exchanges.values():
                exchange.mailbox.put((exchange.key, Failed(error)))
            self._exchanges.clear()
            self._unsent.clear()
            self._suspects.clear()
            self._transport = self._thread = None


def _verdict(crash: BackendCrashed, exchange: Exchange) -> BackendCrashed:
    """The error of a request that is given up."""
    if isinstance(exchange.request, Load):
        advice = "The model brought it down while loading: the file may be damaged, or the native library has a fault."
    else:
        advice = (
            f"This request was in it at {exchange.crashes} crashes and is not tried again; "
            "others go on in a new worker."
        )
    return BackendCrashed(
        f"{crash} {advice}",
        signal=crash.signal,
        exit_code=crash.exit_code,
        output=crash.output,
        quarantined=not isinstance(exchange.request, Load),
    )
