"""The parent's end of a worker, over a transport that does what the test says."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import anyio
import attrs
import pytest

from sauropod._mailbox import Mailbox
from sauropod._runtime.link import Exchange, Link
from sauropod._runtime.protocol import (
    Answer,
    Cancel,
    Devices,
    End,
    Failed,
    Generate,
    Load,
    Parcel,
    Piece,
    PromptText,
    Replies,
    Reply,
    Request,
    Unload,
)
from sauropod._values.asking import ChatOptions
from sauropod._values.completion import Timings
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.sampling import SamplingParams, StopReason
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.errors import BackendCrashed, BackendError, ClosedError, UnsupportedInput

pytestmark = pytest.mark.anyio

END = End("", StopReason.EOS, None, 1, 0, Timings(0, 0, 0))


@attrs.define(eq=False)
class Script:
    """A transport in the hands of a test. Requests are read from `sent`, replies and deaths are put in."""

    sent: queue.SimpleQueue[Request | Parcel] = attrs.field(factory=queue.SimpleQueue)
    replies: queue.SimpleQueue[Replies | None] = attrs.field(factory=queue.SimpleQueue)

    def send(self, request: Request | Parcel) -> None:
        self.sent.put(request)

    def receive(self) -> Replies:
        replies = self.replies.get()
        if replies is None:
            raise EOFError
        return replies

    def close(self) -> None:
        self.replies.put(None)

    def obituary(self) -> BackendCrashed:
        return BackendCrashed("The worker died.", signal="SIGSEGV")

    def disown(self) -> None: ...


@attrs.define(eq=False)
class Scene:
    """A link and the workers it starts, in order."""

    kind: type[Script] = Script
    started: queue.SimpleQueue[Script] = attrs.field(factory=queue.SimpleQueue)
    link: Link = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.link = Link("test", self._start)

    def _start(self) -> Script:
        script = self.kind()
        self.started.put(script)
        return script

    async def worker(self) -> Script:
        return await anyio.to_thread.run_sync(lambda: self.started.get(timeout=10))

    def ask(self, request: Request) -> tuple[Exchange, Mailbox[tuple[int, Reply]]]:
        mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
        exchange = Exchange(request, mailbox)
        self.link.submit(exchange)
        return exchange, mailbox


async def next_request(worker: Script) -> Request | Parcel:
    return await anyio.to_thread.run_sync(lambda: worker.sent.get(timeout=10))


async def closed(scene: Scene) -> None:
    scene.link.close()
    await anyio.to_thread.run_sync(scene.link.join)


@pytest.fixture
def scene() -> Scene:
    return Scene()


def generate(id: int, model: int = 1) -> Generate:
    return Generate(id, model, PromptText(text="x"), SamplingParams(), Priority.NORMAL, False)


def load(id: int, model: int = 1) -> Load:
    return Load(id, model, "fake", Source("x"), LoadOptions(), SchedulerOptions())


def piece(token: int) -> Piece:
    return Piece(token, "x", None, (), b"")


async def loaded(scene: Scene) -> Script:
    """A worker with model 1 in it."""
    _, mailbox = scene.ask(load(100))
    worker = await scene.worker()
    assert await next_request(worker) == load(100)
    worker.replies.put([(100, Answer("info"))])
    assert await mailbox.get() == (0, Answer("info"))
    return worker


async def test_a_worker_is_started_by_the_first_request_and_not_before(scene: Scene) -> None:
    assert scene.started.empty()
    _, mailbox = scene.ask(Devices(1, "fake"))
    worker = await scene.worker()
    worker.replies.put([(1, Answer("cpu"))])
    assert await mailbox.get() == (0, Answer("cpu"))
    await closed(scene)


async def test_after_a_crash_models_are_loaded_again_and_texts_resumed_where_they_were(scene: Scene) -> None:
    worker = await loaded(scene)
    _, mailbox = scene.ask(generate(1))
    await next_request(worker)
    worker.replies.put([(1, piece(5)), (1, piece(6))])
    worker.replies.put(None)
    again = await scene.worker()
    assert await next_request(again) == load(100)
    assert await next_request(again) == attrs.evolve(generate(1), generated=(5, 6))
    again.replies.put([(100, Answer("info")), (1, piece(7)), (1, END)])
    assert [(await mailbox.get())[1] for _ in range(4)] == [piece(5), piece(6), piece(7), END]
    await closed(scene)


async def test_suspects_are_tried_one_at_a_time(scene: Scene) -> None:
    worker = await loaded(scene)
    for id in (1, 2, 3):
        scene.ask(generate(id))
        await next_request(worker)
    worker.replies.put(None)
    again = await scene.worker()
    assert await next_request(again) == load(100)
    assert (await next_request(again)).id == 1
    assert again.sent.empty()
    again.replies.put([(1, piece(5))])
    assert (await next_request(again)).id == 2
    again.replies.put([(2, Failed(BackendError("no")))])
    assert (await next_request(again)).id == 3
    await closed(scene)


async def test_only_the_one_on_trial_is_to_blame(scene: Scene) -> None:
    worker = await loaded(scene)
    boxes: dict[int, Mailbox[tuple[int, Reply]]] = {}
    for id in (1, 2, 3):
        _, boxes[id] = scene.ask(generate(id))
        await next_request(worker)
    worker.replies.put(None)
    second = await scene.worker()
    await next_request(second)
    assert (await next_request(second)).id == 1
    second.replies.put([(1, piece(5))])
    assert (await next_request(second)).id == 2
    second.replies.put(None)  # with 1 in flight as well
    third = await scene.worker()
    await next_request(third)
    _, verdict = await boxes[2].get()
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, BackendCrashed)
    assert verdict.error.quarantined
    assert (await next_request(third)).id == 3
    third.replies.put([(3, END)])
    assert (await next_request(third)) == attrs.evolve(generate(1), generated=(5,))
    third.replies.put([(1, END)])
    assert (await boxes[3].get()) == (0, END)
    assert [(await boxes[1].get())[1] for _ in range(2)] == [piece(5), END]
    await closed(scene)


async def test_a_suspect_that_is_cancelled_is_not_resumed(scene: Scene) -> None:
    worker = await loaded(scene)
    exchanges = []
    for id in (1, 2, 3):
        exchange, _ = scene.ask(generate(id))
        exchanges.append(exchange)
        await next_request(worker)
    worker.replies.put(None)
    again = await scene.worker()
    await next_request(again)
    assert (await next_request(again)).id == 1
    scene.link.cancel(exchanges[1])
    scene.link.cancel(exchanges[0])
    assert await next_request(again) == Cancel(1)
    assert (await next_request(again)).id == 3
    await closed(scene)


async def test_a_load_that_kills_the_worker_is_tried_once_more_alone_and_then_given_up(scene: Scene) -> None:
    worker = await loaded(scene)
    _, guilty = scene.ask(load(200, model=2))
    _, innocent = scene.ask(load(300, model=3))
    for _ in range(2):
        await next_request(worker)
    worker.replies.put(None)
    second = await scene.worker()
    assert [(await next_request(second)).id for _ in range(2)] == [100, 200]
    assert second.sent.empty()
    second.replies.put(None)
    _, verdict = await guilty.get()
    assert isinstance(verdict, Failed)
    assert isinstance(verdict.error, BackendCrashed)
    assert "while loading" in str(verdict.error)
    assert not verdict.error.quarantined
    third = await scene.worker()
    assert [(await next_request(third)).id for _ in range(2)] == [100, 300]
    third.replies.put([(300, Answer("info"))])
    assert await innocent.get() == (0, Answer("info"))
    third.replies.put(None)
    scene.ask(generate(1, model=3))
    again = await scene.worker()
    assert [(await next_request(again)).id for _ in range(3)] == [100, 300, 1]
    await closed(scene)


async def test_what_is_asked_for_during_a_trial_comes_after_it(scene: Scene) -> None:
    worker = await loaded(scene)
    _, innocent = scene.ask(generate(1))
    await next_request(worker)
    worker.replies.put(None)
    second = await scene.worker()
    assert [(await next_request(second)).id for _ in range(2)] == [100, 1]
    culprit, _ = scene.ask(generate(2))
    scene.ask(generate(3))
    assert second.sent.empty()
    second.replies.put([(1, piece(5))])
    assert (await next_request(second)).id == 2
    assert second.sent.empty()
    second.replies.put(None)  # its first crash: it is tried once more
    third = await scene.worker()
    assert [(await next_request(third)).id for _ in range(2)] == [100, 3]
    third.replies.put([(3, END)])
    assert (await next_request(third)) == attrs.evolve(generate(1), generated=(5,))
    third.replies.put([(1, END)])
    assert [(await innocent.get())[1] for _ in range(2)] == [piece(5), END]
    assert (await next_request(third)).id == 2
    assert culprit.crashes == 1
    await closed(scene)


async def test_what_is_asked_for_after_a_death_is_not_blamed_for_it() -> None:
    dying, dead = threading.Event(), threading.Event()

    class Slow(Script):
        def obituary(self) -> BackendCrashed:
            dying.set()
            dead.wait(10)
            return super().obituary()

    scene = Scene(Slow)
    worker = await loaded(scene)
    worker.replies.put(None)
    assert await anyio.to_thread.run_sync(dying.wait, 10)
    exchange, _ = scene.ask(generate(1))
    dead.set()
    again = await scene.worker()
    assert [(await next_request(again)).id for _ in range(2)] == [100, 1]
    assert exchange.crashes == 0
    assert worker.sent.empty()
    await closed(scene)


async def test_a_model_that_is_unloaded_when_its_worker_dies_is_unloaded(scene: Scene) -> None:
    worker = await loaded(scene)
    _, mailbox = scene.ask(Unload(300, 1))
    await next_request(worker)
    worker.replies.put(None)
    assert await mailbox.get() == (0, Answer(None))
    await closed(scene)
    assert scene.started.empty()


async def test_a_model_that_is_not_loaded_takes_no_requests(scene: Scene) -> None:
    worker = await loaded(scene)
    with pytest.raises(ClosedError, match="not loaded"):
        scene.ask(generate(1, model=2))
    scene.ask(Unload(300, 1))
    with pytest.raises(ClosedError, match="not loaded"):
        scene.ask(generate(2))
    assert await next_request(worker) == Unload(300, 1)
    assert worker.sent.empty()
    await closed(scene)


async def test_an_exchange_is_abandoned_while_others_hold_every_lock(scene: Scene) -> None:
    worker = await loaded(scene)
    exchange, _ = scene.ask(generate(1))
    await next_request(worker)
    with scene.link._lock:  # held by this thread, wanted by none: the other one would wait for ever
        finalizer = threading.Thread(target=scene.link.abandon, args=(exchange,), daemon=True)
        finalizer.start()
        finalizer.join(10)
        assert not finalizer.is_alive()
    scene.ask(generate(2))
    assert [(await next_request(worker)) for _ in range(2)] == [Cancel(1), generate(2)]
    await closed(scene)


async def test_a_reply_takes_what_was_abandoned_along(scene: Scene) -> None:
    worker = await loaded(scene)
    exchange, _ = scene.ask(generate(1))
    await next_request(worker)
    scene.link.abandon(exchange)
    worker.replies.put([(1, piece(5))])
    assert await next_request(worker) == Cancel(1)
    await closed(scene)


async def test_what_cannot_be_packed_is_refused_and_forgotten(scene: Scene) -> None:
    worker = await loaded(scene)
    scene.link.pack = Parcel.of
    with pytest.raises(UnsupportedInput, match="cannot be sent to the worker process"):
        scene.ask(attrs.evolve(generate(1), prompt=PromptText(chat=ChatOptions(template_options={"f": lambda: 1}))))
    assert not scene.link._exchanges
    assert worker.sent.empty()
    await closed(scene)


async def test_a_fault_of_the_listening_thread_ends_the_wait_of_all(scene: Scene) -> None:
    worker = await loaded(scene)
    _, mailbox = scene.ask(generate(1))
    await next_request(worker)
    worker.replies.put([("what is this?",)])  # type: ignore[list-item]
    _, reply = await mailbox.get()
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, BackendError)
    assert isinstance(reply.error.__cause__, ValueError)
    _, again = scene.ask(generate(2))
    new = await scene.worker()
    assert [(await next_request(new)).id for _ in range(2)] == [100, 2]
    new.replies.put([(2, END)])
    assert await again.get() == (0, END)
    await closed(scene)


async def test_a_link_that_was_forked_is_closed_and_lets_go_of_its_worker(scene: Scene) -> None:
    worker = await loaded(scene)
    scene.ask(generate(1))
    lock = scene.link._lock
    with lock:  # as another thread of the original may have held it
        scene.link.disown()
    assert scene.link._lock is not lock
    with pytest.raises(ClosedError, match="fork"):
        scene.ask(generate(2))
    scene.link.close()
    assert worker.replies.empty()
    worker.replies.put(None)  # lets the thread end that a real fork would not have


async def test_what_a_cancelled_exchange_still_gets_goes_nowhere(scene: Scene) -> None:
    worker = await loaded(scene)
    exchange, mailbox = scene.ask(generate(1))
    await next_request(worker)
    scene.link.cancel(exchange)
    scene.link.cancel(exchange)
    assert await next_request(worker) == Cancel(1)
    _, other = scene.ask(generate(2))
    assert (await next_request(worker)).id == 2
    worker.replies.put([(1, piece(5)), (2, END)])
    await other.get()
    assert not mailbox._letters
    await closed(scene)


async def test_unloading_tells_those_who_still_wait(scene: Scene) -> None:
    worker = await loaded(scene)
    _, mailbox = scene.ask(generate(1))
    await next_request(worker)
    scene.ask(Unload(300, 1))
    _, reply = await mailbox.get()
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, ClosedError)
    assert [type(await next_request(worker)) for _ in range(2)] == [Cancel, Unload]
    await closed(scene)


async def test_closing_fails_what_is_in_flight_and_refuses_what_comes(scene: Scene) -> None:
    await loaded(scene)
    _, mailbox = scene.ask(generate(1))
    await closed(scene)
    _, reply = await mailbox.get()
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, ClosedError)
    with pytest.raises(ClosedError):
        scene.ask(generate(2))


async def test_a_worker_that_cannot_be_started_is_an_error_for_who_asked() -> None:
    def start() -> Script:
        raise BackendError("no processes left")

    mailbox: Mailbox[tuple[int, Reply]] = Mailbox()
    Link("test", start).submit(Exchange(Devices(1, "fake"), mailbox))
    _, reply = await mailbox.get()
    assert isinstance(reply, Failed)
    assert "no processes left" in str(reply.error)


async def test_letters_from_other_threads_wake_the_loop() -> None:
    mailbox: Mailbox[int] = Mailbox()

    def write() -> None:
        for number in range(1000):
            mailbox.put(number)

    async with anyio.create_task_group() as group:
        group.start_soon(anyio.to_thread.run_sync, write)
        assert [await mailbox.get() for _ in range(1000)] == list(range(1000))


async def test_a_letter_to_a_loop_that_has_ended_does_no_harm() -> None:
    boxes: list[Mailbox[int]] = []

    async def make() -> None:
        box: Mailbox[int] = Mailbox()
        boxes.append(box)
        with anyio.move_on_after(0):
            await box.get()
        box._arrived = anyio.Event()

    run: Callable[[], None] = lambda: anyio.run(make)  # noqa: E731
    await anyio.to_thread.run_sync(run)
    boxes[0].put(1)
