"""The worker's loop, in a thread, over models that are slow in one way or another."""

from __future__ import annotations

import math
import queue
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import pytest

from sauropod._runtime import worker as worker_module
from sauropod._runtime.preparing import Preparer
from sauropod._runtime.protocol import (
    Answer,
    Began,
    Cancel,
    CountTokens,
    Embed,
    End,
    Failed,
    Generate,
    Load,
    Piece,
    PromptText,
    Replies,
    Reply,
    Unload,
)
from sauropod._runtime.worker import Resident, Worker
from sauropod._values.batch import Chunk, Sampled
from sauropod._values.loading import LoadOptions, Source
from sauropod._values.messages import Message, Tool
from sauropod._values.sampling import SamplingParams
from sauropod._values.scheduling import Priority, SchedulerOptions
from sauropod.abc import Backend, Device, LanguageModel
from sauropod.errors import BackendError, ClosedError, UnsupportedInput, UnsupportedModel
from sauropod.testing import FakeLanguageModel, FakeOptions


@attrs.define(eq=False)
class Running:
    """A worker in a thread, and the replies it has sent."""

    worker: Worker
    thread: threading.Thread
    replies: queue.SimpleQueue[tuple[int, Reply]]

    def next(self) -> tuple[int, Reply]:
        """The next reply that tells of more than that a text has begun."""
        while isinstance((reply := self.replies.get(timeout=20))[1], Began):
            pass
        return reply

    def until(self, id: int) -> list[tuple[int, Reply]]:
        """Replies up to the last of one exchange."""
        seen = []
        while True:
            seen.append(self.next())
            if seen[-1][0] == id and not isinstance(seen[-1][1], Piece):
                return seen

    def load(self, model: int, id: int | None = None) -> None:
        self.worker.post(
            Load(id or 1000 + model, model, "test", Source(str(model)), LoadOptions(), SchedulerOptions(ageing=1e9))
        )

    def ask(self, id: int, model: int, tokens: int = 5, priority: Priority = Priority.NORMAL, text: str = "Hi") -> None:
        params = SamplingParams(temperature=0, max_tokens=tokens, ignore_eos=True)
        self.worker.post(Generate(id, model, PromptText(messages=(Message.user(text),)), params, priority, False))


class Loads(Backend):
    """A backend whose models the test makes."""

    def __init__(self, make: Callable[[str], LanguageModel]) -> None:
        self.make = make

    def devices(self) -> Sequence[Device]:
        return [Device("cpu")]

    def load(self, source: Source, options: LoadOptions) -> LanguageModel:
        return self.make(source.name)


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Callable[[str], LanguageModel]], Running]]:
    running: list[tuple[Worker, threading.Thread]] = []

    def begin(make: Callable[[str], LanguageModel]) -> Running:
        monkeypatch.setattr(worker_module, "load_backend", lambda _: Loads(make))
        replies: queue.SimpleQueue[tuple[int, Reply]] = queue.SimpleQueue()

        def send(batch: Replies) -> None:
            for each in batch:
                replies.put(each)

        worker = Worker(send)
        thread = threading.Thread(target=worker.run)
        thread.start()
        running.append((worker, thread))
        return Running(worker, thread, replies)

    yield begin
    for worker, thread in running:
        worker.stop()
        thread.join(20)
        assert not thread.is_alive()


Start = Callable[[Callable[[str], LanguageModel]], Running]


def test_the_most_urgent_model_is_stepped_first(start: Start) -> None:
    stepping, encoded, gate = threading.Event(), threading.Event(), threading.Event()

    class Gated(FakeLanguageModel):
        def encode(self, text: str, *, special: bool) -> Sequence[int]:
            if stepping.is_set():
                encoded.set()
            return super().encode(text, special=special)

        def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
            stepping.set()
            gate.wait(20)
            return super().decode(chunks)

    running = start(lambda _: Gated(FakeOptions(context_length=500)))
    for model in (1, 2):
        running.load(model)
        running.next()
    running.ask(1, model=1, tokens=300, priority=Priority.BACKGROUND)
    assert stepping.wait(20)
    running.ask(2, model=2, tokens=10, priority=Priority.LIVE)
    assert encoded.wait(20)
    gate.set()
    seen = running.until(2)
    assert len([reply for id, reply in seen if id == 1]) < 100  # taking turns with the urgent one, it would be done
    running.until(1)


@attrs.define(eq=False)
class Busy:
    """Has always something to do, and takes a while for it: seconds of a clock that it turns itself."""

    seconds: float
    clock: list[float]
    until: float = math.inf
    info: Any = None
    rank: int = 1

    def urgency(self, now: float) -> int | None:
        return self.rank if now < self.until else None

    def step(self, clock: Callable[[], float]) -> Replies:
        self.clock[0] += self.seconds
        return []

    def accept(self, request: Any, received: float) -> Callable[[], Answer | Began | None]:
        raise AssertionError

    def interrupt(self, id: int) -> None: ...

    def cancel(self, id: int) -> None: ...

    def close(self) -> None: ...


def steps_of(worker: Worker, residents: Mapping[str, Resident], count: int) -> list[str]:
    names = {id(resident): name for name, resident in residents.items()}
    taken = []
    for _ in range(count):
        resident = worker._most_urgent()
        assert resident is not None
        assert resident.host is not None
        worker._step(resident, resident.host)
        taken.append(names[id(resident)])
    return taken


def residents_of(worker: Worker, **hosts: Busy) -> dict[str, Resident]:
    residents = {name: Resident(lambda: Busy(1, [0.0]), host) for name, host in hosts.items()}
    worker._residents.update(enumerate(residents.values()))
    return residents


def test_models_of_equal_urgency_get_equal_time() -> None:
    clock = [0.0]
    worker = Worker(lambda replies: None, lambda: clock[0])
    residents = residents_of(worker, slow=Busy(0.3, clock), quick=Busy(0.1, clock))
    taken = steps_of(worker, residents, 80)
    assert taken.count("slow") == 20
    assert "slow slow" not in " ".join(taken)  # so nobody waits for more than one long step
    for resident in residents.values():
        resident.close()


def test_what_a_model_did_not_want_is_not_owed_to_it() -> None:
    clock = [0.0]
    worker = Worker(lambda replies: None, lambda: clock[0])
    late = Busy(0.1, clock, until=0)
    residents = residents_of(worker, early=Busy(0.1, clock), late=late)
    assert set(steps_of(worker, residents, 50)) == {"early"}
    late.until = math.inf
    assert steps_of(worker, residents, 20).count("late") in (10, 11)
    for resident in residents.values():
        resident.close()


def test_what_waited_for_something_more_urgent_gets_little_of_it_back_at_once() -> None:
    clock = [0.0]
    worker = Worker(lambda replies: None, lambda: clock[0])
    waiting = Busy(0.1, clock)
    urgent = Busy(0.1, clock, rank=0)
    residents = residents_of(worker, urgent=urgent, waiting=waiting)
    assert set(steps_of(worker, residents, 500)) == {"urgent"}
    urgent.rank = 1
    assert steps_of(worker, residents, 30).count("waiting") <= 15 + 6  # half, and a second's worth more
    for resident in residents.values():
        resident.close()


def test_loading_a_model_does_not_hold_up_another(start: Start) -> None:
    gate = threading.Event()

    def make(name: str) -> LanguageModel:
        if name == "2":
            gate.wait(20)
        return FakeLanguageModel()

    running = start(make)
    running.load(1)
    running.next()
    running.load(2)
    running.ask(1, model=2)  # waits for its model
    running.ask(2, model=1)
    assert isinstance(running.until(2)[-1][1], End)
    gate.set()
    seen = running.until(1)
    assert (1002, Answer(Preparer(FakeLanguageModel()).info)) in seen
    assert isinstance(seen[-1][1], End)


def test_a_slow_template_does_not_hold_up_another_model(start: Start) -> None:
    gate = threading.Event()

    class Slow(FakeLanguageModel):
        def render(
            self, messages: Sequence[Message], tools: Sequence[Tool] = (), *, options: Mapping[str, Any] | None = None
        ) -> str:
            if messages[0].content == "Hi":
                gate.wait(20)
            return super().render(messages, tools, options=options)

    running = start(lambda name: Slow() if name == "2" else FakeLanguageModel())
    for model in (1, 2):
        running.load(model)
        running.next()
    running.ask(1, model=2)
    running.ask(2, model=1)
    assert isinstance(running.until(2)[-1][1], End)
    gate.set()
    assert isinstance(running.until(1)[-1][1], End)


def test_a_request_cancelled_while_it_is_prepared_is_never_run(start: Start) -> None:
    gate = threading.Event()
    models: list[FakeLanguageModel] = []

    class Slow(FakeLanguageModel):
        def encode(self, text: str, *, special: bool) -> Sequence[int]:
            if "Hi" in text:
                gate.wait(20)
            return super().encode(text, special=special)

    def make(_: str) -> LanguageModel:
        models.append(Slow())
        return models[0]

    running = start(make)
    running.load(1)
    running.next()
    running.ask(1, model=1)
    running.worker.post(Cancel(1))
    gate.set()
    running.worker.post(CountTokens(2, 1, PromptText(text="x")))
    assert [id for id, _ in running.until(2)] == [2]
    assert not models[0].steps


def test_a_load_that_fails_tells_those_who_waited_for_the_model(start: Start) -> None:
    def make(_: str) -> LanguageModel:
        raise UnsupportedModel("not a model")

    running = start(make)
    running.load(1)
    running.ask(1, model=1)
    errors = {id: reply.error for id, reply in (running.next(), running.next()) if isinstance(reply, Failed)}
    assert errors.keys() == {1, 1001}
    assert all(isinstance(error, UnsupportedModel) for error in errors.values())


def test_a_fault_in_a_step_ends_its_texts_and_nothing_else(start: Start) -> None:
    class Faulty(FakeLanguageModel):
        def decode(self, chunks: Sequence[Chunk]) -> Sequence[Sampled]:
            sampled = super().decode(chunks)
            if any(b"fault" in bytes(token for token in self.held[chunk.slot] if token < 256) for chunk in chunks):
                raise ZeroDivisionError("a bug in a plug-in")
            return sampled

    running = start(lambda _: Faulty())
    running.load(1)
    running.next()
    running.ask(1, model=1, text="a fault")
    _, failed = running.until(1)[-1]
    assert isinstance(failed, Failed)
    assert isinstance(failed.error, BackendError)
    assert "ZeroDivisionError: a bug in a plug-in" in str(failed.error)
    assert "test_worker.py" in failed.trace
    for id in range(2, 8):
        running.ask(id, model=1, text="all is well")
        assert isinstance(running.until(id)[-1][1], End)


def test_embeddings_and_texts_take_turns(start: Start) -> None:
    running = start(lambda _: FakeLanguageModel(FakeOptions(context_length=500, step_tokens=8)))
    running.load(1)
    running.next()
    running.ask(1, model=1, tokens=300)
    running.worker.post(Embed(2, 1, [f"text {number}" for number in range(30)]))
    seen = running.until(2)
    assert len([reply for id, reply in seen if id == 1 and isinstance(reply, Piece)]) >= 10
    assert isinstance(seen[-1][1], Answer)
    assert len(seen[-1][1].value) == 30
    running.until(1)


def test_a_model_that_is_not_there_is_an_error(start: Start) -> None:
    running = start(lambda _: FakeLanguageModel())
    running.ask(1, model=9)
    assert isinstance(running.next()[1], Failed)


def test_unloading_closes_the_model(start: Start) -> None:
    models: list[FakeLanguageModel] = []

    def make(_: str) -> LanguageModel:
        models.append(FakeLanguageModel())
        return models[-1]

    running = start(make)
    running.load(1)
    running.next()
    running.worker.post(Unload(2, 1))
    assert running.next() == (2, Answer(None))
    assert models[0]._closed
    running.load(1, id=3)
    assert running.next()[0] == 3


def test_unloading_answers_those_who_are_being_prepared(start: Start) -> None:
    encoding, gate = threading.Event(), threading.Event()

    class Slow(FakeLanguageModel):
        def encode(self, text: str, *, special: bool) -> Sequence[int]:
            if "Hi" in text:
                encoding.set()
                gate.wait(20)
            assert not self._closed
            return super().encode(text, special=special)

    running = start(lambda _: Slow())
    running.load(1)
    running.next()
    running.ask(1, model=1)
    running.ask(2, model=1)
    assert encoding.wait(20)
    running.worker.post(Unload(3, 1))
    gate.set()
    replies = dict(running.next() for _ in range(3))
    assert replies.pop(3) == Answer(None)
    assert replies.keys() == {1, 2}
    assert all(isinstance(reply, Failed) and isinstance(reply.error, ClosedError) for reply in replies.values())


def test_a_request_that_meets_a_model_on_its_way_out_is_answered(start: Start) -> None:
    running = start(lambda _: FakeLanguageModel())
    running.load(1)
    running.next()
    running.worker._residents[1].preparer.shutdown()  # as the step thread does first, while another thread posts
    running.ask(1, model=1)
    id, reply = running.next()
    assert id == 1
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, ClosedError)


@pytest.mark.parametrize("unloaded", [False, True])
def test_a_model_that_is_loaded_when_nobody_wants_it_any_more_is_closed(start: Start, unloaded: bool) -> None:
    loading, gate, closed = threading.Event(), threading.Event(), threading.Event()

    class Closes(FakeLanguageModel):
        def close(self) -> None:
            super().close()
            closed.set()

    def make(_: str) -> LanguageModel:
        loading.set()
        gate.wait(20)
        return Closes()

    running = start(make)
    running.load(1)
    assert loading.wait(20)
    if unloaded:
        running.worker.post(Unload(2, 1))
        assert running.next() == (2, Answer(None))
    running.worker.stop()
    running.thread.join(20)
    assert not running.thread.is_alive()
    gate.set()
    assert closed.wait(20)


def test_a_request_that_did_not_arrive_whole_is_answered(start: Start) -> None:
    running = start(lambda _: FakeLanguageModel())
    running.worker.refuse(1, UnsupportedInput("what is this?"))
    id, reply = running.next()
    assert id == 1
    assert isinstance(reply, Failed)
    assert isinstance(reply.error, UnsupportedInput)
