"""The parent's end of a worker: who waits for what, and what happens when the worker is lost."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import attrs

from sauropod._log import log
from sauropod._mailbox import Mailbox
from sauropod._runtime.protocol import (
    Answer,
    Began,
    Cancel,
    Failed,
    Generate,
    Load,
    Parcel,
    Piece,
    Reply,
    Request,
    Unload,
)
from sauropod.errors import BackendCrashed, BackendError, ClosedError, SauropodError

if TYPE_CHECKING:
    from sauropod._runtime.transport import Transport

__all__ = ["Exchange", "Link"]


_CLOSED = "The engine was closed while this request was in flight."

MOST_CRASHES = 2
"""A request that is to blame for so many is not tried again."""


def _as_it_is(request: Request) -> Request | Parcel:
    return request


@attrs.define(eq=False)
class Exchange:
    """A request under way. Replies come to `mailbox`, with `key` to tell several exchanges in one mailbox apart."""

    request: Request
    mailbox: Mailbox[tuple[int, Reply]]
    key: int = 0
    tokens: list[int] = attrs.field(factory=list)
    """What a `Generate` has said so far, with which it can be resumed."""
    crashes: int = 0
    parcel: Request | Parcel = attrs.field(init=False)
    """The request as it is sent, once it has been submitted."""

    @property
    def id(self) -> int:
        return self.request.id

    @property
    def model(self) -> int | None:
        return getattr(self.request, "model", None)

    def resumption(self) -> Request | Parcel:
        """The request as it is sent to a new worker."""
        if isinstance(self.parcel, Generate | Parcel) and self.tokens:
            return attrs.evolve(self.parcel, generated=(*self.parcel.generated, *self.tokens))
        return self.parcel

    def answer(self, reply: Reply) -> None:
        self.mailbox.put((self.key, reply))


@attrs.define(eq=False)
class Link:
    """Talks to one worker, and puts a new one in its place when it crashes. Safe to use from any thread.

    After a crash the models are loaded again and the requests that were in flight go on where they were, one at a
    time until each has shown a sign of life; what is asked for meanwhile comes after them. So if one of them kills the
    worker again, it is known which. One that has done so twice is given up with the crash as its error.
    """

    name: str
    start: Callable[[], Transport]
    pack: Callable[[Request], Request | Parcel] = _as_it_is
    """Makes a request ready to be sent. Raises for one that cannot be."""
    _lock: threading.RLock = attrs.field(factory=threading.RLock)
    _transport: Transport | None = None
    _thread: threading.Thread | None = None
    _listening: bool = False
    _exchanges: dict[int, Exchange] = attrs.field(factory=dict)
    _models: dict[int, Request | Parcel] = attrs.field(factory=dict)
    """How to load again what is loaded."""
    _unsent: list[Exchange] = attrs.field(factory=list)
    """What was asked for while there was no worker to send it to."""
    _suspects: deque[Exchange] = attrs.field(factory=deque)
    """To be sent one at a time, when the one before has shown a sign of life."""
    _on_trial: Exchange | None = None
    _abandoned: deque[Exchange] = attrs.field(factory=deque)
    _closed: bool = False

    # -- asking ----------------------------------------------------------------------------------------------------

    def submit(self, exchange: Exchange) -> None:
        """Send a request. Its replies come to its mailbox, a `Failed` among them if the worker is lost for good.

        Raises `ClosedError` for a model that is not loaded, and what `pack` raises.
        """
        exchange.parcel = self.pack(exchange.request)  # takes a while, and may run anybody's code: before the lock
        with self._lock:
            self._cancel_abandoned()
            if self._closed:
                raise ClosedError("This model's worker is closed, or was left behind by a fork. Open the model anew.")
            if isinstance(exchange.request, Unload):
                self._unload(exchange)
                return
            if exchange.model is not None and not isinstance(exchange.request, Load):
                self._require(exchange.model)
            self._exchanges[exchange.id] = exchange
            if self._on_trial is not None or self._suspects:
                self._suspects.append(exchange)
            else:
                self._send(exchange)

    def cancel(self, exchange: Exchange) -> None:
        """Nobody waits for this exchange any more. Costs nothing if it has ended already."""
        with self._lock:
            self._cancel_abandoned()
            self._cancel(exchange)

    def abandon(self, exchange: Exchange) -> None:
        """As `cancel`, a little later: with the next request or reply. Takes no lock, and so may be called anywhere.

        The garbage collector runs finalizers in the middle of anything, this class's own methods included.
        """
        self._abandoned.append(exchange)

    def close(self) -> None:
        """End the worker, without waiting for that. Requests in flight fail with `ClosedError`."""
        with self._lock:
            self._closed = True
            if self._transport is not None:
                self._transport.close()

    def join(self) -> None:
        """Wait until the worker has ended, after `close`."""
        thread = self._thread
        if thread is not None:
            thread.join()

    def disown(self) -> None:
        """In a forked copy of this process: the worker belongs to the original. Whoever held a lock is not here."""
        self._lock = threading.RLock()
        self._closed, transport = True, self._transport
        self._transport = self._thread = self._on_trial = None
        for waiting in (self._exchanges, self._unsent, self._suspects, self._abandoned):
            waiting.clear()
        if transport is not None:
            transport.disown()

    def _require(self, model: int) -> None:
        if model not in self._models:
            raise ClosedError(
                "The model is not loaded any more: its engine was closed, or it could not be loaded again after a "
                "crash. Open a new engine."
            )

    def _unload(self, exchange: Exchange) -> None:
        """The model goes: who still waits for something from it learns that."""
        self._models = {model: load for model, load in self._models.items() if model != exchange.model}
        for each in list(self._exchanges.values()):
            if each.model == exchange.model:
                self._cancel(each)
                each.answer(Failed(ClosedError(_CLOSED)))
        if self._transport is None:  # the model went with the worker, or was never in it
            exchange.answer(Answer(None))
        else:
            self._exchanges[exchange.id] = exchange
            self._transport.send(exchange.parcel)

    def _cancel_abandoned(self) -> None:
        while self._abandoned:
            self._cancel(self._abandoned.popleft())

    def _cancel(self, exchange: Exchange) -> None:
        if self._exchanges.pop(exchange.id, None) is None:
            return
        if exchange in self._suspects:
            self._suspects.remove(exchange)
        elif self._transport is not None:
            self._transport.send(Cancel(exchange.id))
        self._next_trial_after(exchange)

    def _send(self, exchange: Exchange) -> None:
        if self._transport is not None:
            self._transport.send(exchange.resumption())
            return
        self._unsent.append(exchange)
        if not self._listening:
            self._thread = threading.Thread(target=self._run, name=f"sauropod-link-{self.name}", daemon=True)
            self._listening = True
            try:
                self._thread.start()
            except RuntimeError as error:
                self._thread = None
                self._fail(error)

    # -- the thread that listens -----------------------------------------------------------------------------------

    def _run(self) -> None:
        """One worker's life, from start to end, and another's if somebody still waits for something."""
        try:
            while self._live():
                pass
        except BaseException as error:
            self._fail(error)

    def _live(self) -> bool:
        transport = self.start()
        with self._lock:
            self._transport = transport
            for load in self._models.values():
                transport.send(load)
            unsent, self._unsent = self._unsent, []
            for exchange in unsent:
                if exchange.id in self._exchanges:
                    self._send(exchange)
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
                self._cancel_abandoned()

    def _deliver(self, id: int, reply: Reply) -> None:
        if isinstance(reply, Failed):
            self._models = {model: load for model, load in self._models.items() if load.id != id}
        exchange = self._exchanges.get(id)
        if exchange is None:
            return  # cancelled meanwhile, or a model that was loaded again
        if isinstance(reply, Piece):
            exchange.tokens.append(reply.token)
        elif not isinstance(reply, Began):
            del self._exchanges[id]
            if isinstance(exchange.request, Load) and isinstance(reply, Answer):
                self._models[exchange.request.model] = exchange.parcel
        exchange.answer(reply)
        if not isinstance(reply, Began):  # which comes before any step, and is no sign of life
            self._next_trial_after(exchange)

    # -- after a crash ---------------------------------------------------------------------------------------------

    def _recover(self, transport: Transport) -> bool:
        """The worker is gone. Whether another is needed now."""
        with self._lock:
            self._transport = None
            sent = [each for each in self._exchanges.values() if each not in self._suspects]
        crash = transport.obituary()  # what is asked for meanwhile had no part in it
        if not self._closed:
            log("sauropod.worker").warning("%s %d requests were in flight.", crash, len(sent))
        with self._lock:
            if self._closed:
                self._give_up(ClosedError(_CLOSED))
                return False
            self._blame(crash, sent)
            self._on_trial = None
            self._unsent.clear()
            others = [each for each in self._exchanges.values() if each not in self._suspects]
            self._suspects.extend(sorted(others, key=lambda each: each.crashes))
            if not self._suspects:
                self._listening = False
                return False
            self._try_next()
            return True

    def _blame(self, crash: BackendCrashed, sent: Iterable[Exchange]) -> None:
        """Count the crash against the request on trial, or else against all that the worker was sent."""
        for exchange in sent:
            if exchange.id not in self._exchanges:
                continue  # cancelled meanwhile
            if isinstance(exchange.request, Unload):
                del self._exchanges[exchange.id]
                exchange.answer(Answer(None))
            elif self._on_trial in (None, exchange):
                exchange.crashes += 1
                if exchange.crashes >= MOST_CRASHES:
                    del self._exchanges[exchange.id]
                    exchange.answer(Failed(_verdict(crash, exchange)))

    def _next_trial_after(self, exchange: Exchange) -> None:
        if exchange is self._on_trial:
            self._on_trial = None
            self._try_next()

    def _try_next(self) -> None:
        if self._suspects and self._on_trial is None:
            self._on_trial = self._suspects.popleft()
            self._send(self._on_trial)

    def _fail(self, error: BaseException) -> None:
        """Nobody listens any more. So that nobody waits for ever, all fail, and the worker ends."""
        if not isinstance(error, SauropodError):
            log("sauropod.worker").error("The thread that talks to the worker %r failed.", self.name, exc_info=error)
            failure = BackendError(f"Talking to the worker {self.name!r} failed ({type(error).__name__}: {error}).")
            failure.__cause__ = error
            error = failure
        with self._lock:
            transport = self._transport
            self._give_up(error)
        if transport is not None:
            transport.close()
            transport.obituary()

    def _give_up(self, error: SauropodError) -> None:
        with self._lock:
            for exchange in list(self._exchanges.values()):
                exchange.answer(Failed(error))
            for waiting in (self._exchanges, self._unsent, self._suspects):
                waiting.clear()
            self._transport = self._on_trial = None
            self._listening = False


def _verdict(crash: BackendCrashed, exchange: Exchange) -> BackendCrashed:
    """The error of a request that is given up."""
    if isinstance(exchange.request, Load):
        advice = (
            f"The model brought it down while loading, {exchange.crashes} times: the file may be damaged, or the "
            "native library has a fault."
        )
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
