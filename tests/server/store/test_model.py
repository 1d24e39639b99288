"""Whatever is done to a store in whatever order, it has what a plain model of it has."""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import attrs
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sauropod.server.store import (
    ConversationRecord,
    Item,
    LoggedEvent,
    MissingRecord,
    ResponseRecord,
    Store,
    UnfinishedRecord,
)
from server.store.databases import Postgres

T = TypeVar("T")

NAMES = st.sampled_from("abcdefg")
"""Few, so that they meet."""
ITEMS = st.lists(NAMES, max_size=4, unique=True)


def items(names: list[str], said: str) -> list[Item]:
    return [Item(name, f"{said}: {name}".encode()) for name in names]


@attrs.define
class Known:
    """What is to be found of a response."""

    record: ResponseRecord
    input: list[Item]
    output: list[Item] = attrs.field(factory=list)
    events: list[LoggedEvent] = attrs.field(factory=list)


class Stored(RuleBasedStateMachine):
    """Does to a store what it does to dictionaries, and compares."""

    new: ClassVar[Callable[[], str]]
    kept: ClassVar[bool]
    """Whether it is there when it is opened again."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.portal: BlockingPortal = self.stack.enter_context(start_blocking_portal("asyncio"))
        self.responses: dict[str, Known] = {}
        self.conversations: dict[str, list[Item]] = {}
        self.count = 0

    @initialize()
    def make(self) -> None:
        self.where = type(self).new()
        self.open()

    def open(self) -> None:
        self.opened = ExitStack()
        self.store = self.opened.enter_context(self.portal.wrap_async_context_manager(Store.open(self.where)))
        left = self.call(self.store.unfinished)
        expected = [each.record for each in self.responses.values() if each.record.status == "in_progress"]
        assert left == sorted(expected, key=lambda record: record.created_at)

    def teardown(self) -> None:
        self.opened.close()
        self.stack.close()

    def call(self, operation: Callable[..., Awaitable[T]], *args: Any, **options: Any) -> T:
        async def do() -> T:
            return await operation(*args, **options)

        return self.portal.call(do)

    @rule(id=NAMES, previous=st.none() | NAMES, given=ITEMS)
    def begin(self, id: str, previous: str | None, given: list[str]) -> None:
        if id in self.responses or previous == id or self.leads_to(previous, id):
            return
        self.count += 1
        record = ResponseRecord(
            id=id, created_at=self.count, status="in_progress", model="m", previous_response_id=previous
        )
        self.responses[id] = Known(record, items(given, f"in {self.count}"))
        self.call(self.store.begin, record, self.responses[id].input)

    @rule(id=NAMES, count=st.integers(0, 3))
    def log(self, id: str, count: int) -> None:
        known = self.responses.get(id)
        first = len(known.events) if known else 0
        events = [LoggedEvent(first + at, f"event {at}".encode()) for at in range(count)]
        if known:
            known.events += events
        self.call(self.store.log, id, events)

    @rule(id=NAMES, status=st.sampled_from(["completed", "failed"]), given=ITEMS, conversation=st.none() | NAMES)
    def finish(self, id: str, status: str, given: list[str], conversation: str | None) -> None:
        known = self.responses.get(id)
        if known and known.record.status != "in_progress":
            return
        output = items(given, "out")
        if known:
            known.record = attrs.evolve(known.record, status=status, completed_at=7, response=b"end")
            known.output = output
            if conversation in self.conversations:
                there = self.conversations[conversation]
                for item in (*known.input, *output):
                    if item.id not in {each.id for each in there}:
                        there.append(item)
        end = {"status": status, "completed_at": 7, "response": b"end", "events": []}
        self.call(self.store.finish, id, output_items=output, conversation_id=conversation, **end)

    @rule(id=NAMES)
    def delete(self, id: str) -> None:
        assert self.call(self.store.delete_response, id) == (self.responses.pop(id, None) is not None)

    @rule(most=st.integers(0, 4))
    def expire(self, most: int) -> None:
        ended = [each.record for each in self.responses.values() if each.record.status != "in_progress"]
        gone = sorted(ended, key=lambda record: -record.created_at)[most:]
        for record in gone:
            del self.responses[record.id]
        assert self.call(self.store.expire, 0, most) == len(gone)

    @rule(id=NAMES, given=ITEMS)
    def converse(self, id: str, given: list[str]) -> None:
        if id not in self.conversations:
            self.conversations[id] = items(given, "said")
            record = ConversationRecord(id=id, created_at=1, metadata=b"{}")
            self.call(self.store.create_conversation, record, self.conversations[id])

    @rule(id=NAMES, name=NAMES)
    def append(self, id: str, name: str) -> None:
        there = self.conversations.get(id)
        if there is None:
            assert not self.call(self.store.append_items, id, items([name], "more"))
        elif name not in {item.id for item in there}:
            there += items([name], "more")
            assert self.call(self.store.append_items, id, items([name], "more"))

    @rule(id=NAMES, name=NAMES)
    def take_out(self, id: str, name: str) -> None:
        there = self.conversations.get(id, [])
        was = [item for item in there if item.id == name]
        assert self.call(self.store.delete_conversation_item, id, name) == bool(was)
        for item in was:
            there.remove(item)

    @rule(id=NAMES)
    def forget(self, id: str) -> None:
        was = self.conversations.pop(id, None)
        assert self.call(self.store.delete_conversation, id) == (was is not None)

    @rule()
    def open_again(self) -> None:
        if self.kept:
            self.opened.close()
            self.open()

    @rule(id=NAMES)
    def go_back(self, id: str) -> None:
        expected = self.chain(id)
        if isinstance(expected, MissingRecord | UnfinishedRecord):
            with pytest.raises(type(expected)) as caught:
                self.call(self.store.chain, id)
            assert str(caught.value) == str(expected)
        else:
            assert self.call(self.store.chain, id) == expected

    @rule(id=NAMES, after=st.none() | NAMES, limit=st.integers(1, 5), order=st.sampled_from(["asc", "desc"]))
    def page(self, id: str, after: str | None, limit: int, order: Any) -> None:
        there = self.conversations.get(id, [])[:: 1 if order == "asc" else -1]
        names = [item.id for item in there]
        if after is not None and after not in names:
            return
        first = names.index(after) + 1 if after else 0
        found = self.call(self.store.conversation_items, id, after=after, limit=limit, order=order)
        assert list(found.items) == there[first : first + limit]
        assert found.has_more == (len(there) > first + limit)

    @invariant()
    def agree(self) -> None:
        for id in "abcdefg":
            known = self.responses.get(id)
            assert self.call(self.store.response, id) == (known.record if known else None)
            assert self.call(self.store.events, id) == (known.events if known else [])
            assert self.call(self.store.all_conversation_items, id) == self.conversations.get(id, [])

    def chain(self, id: str | None) -> list[Item] | MissingRecord | UnfinishedRecord:
        """What was said, or what is missing."""
        said: list[Item] = []
        while id is not None:
            known = self.responses.get(id)
            if known is None or known.record.status == "failed":
                return MissingRecord(id)
            if known.record.status == "in_progress":
                return UnfinishedRecord(id)
            said = [*known.input, *known.output, *said]
            id = known.record.previous_response_id
        return said

    def leads_to(self, id: str | None, end: str) -> bool:
        while id is not None and id != end:
            known = self.responses.get(id)
            id = known.record.previous_response_id if known else None
        return id == end


def run(kind: str, new: Callable[[], str], examples: int) -> None:
    machine = type(kind, (Stored,), {"new": staticmethod(new), "kept": kind != "Memory"})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]
    options = settings(max_examples=examples, stateful_step_count=25, deadline=None, suppress_health_check=checks)
    run_state_machine_as_test(machine, settings=options)


def test_in_memory() -> None:
    run("Memory", lambda: ":memory:", 6)


def test_in_a_file(tmp_path: Path) -> None:
    run("File", lambda: str(Path(tempfile.mkdtemp(dir=tmp_path)) / "sauropod.db"), 5)


def test_in_postgres(running_postgres: Postgres) -> None:
    run("Postgres", running_postgres.new, 4)
