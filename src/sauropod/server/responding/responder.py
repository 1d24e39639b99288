"""Responder: from a request to a response that is running."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from sauropod.server.problems import Problem
from sauropod.server.responding.history import History, told_apart
from sauropod.server.responding.memory import Memory
from sauropod.server.responding.recorder import Recorder
from sauropod.server.responding.running import Running, Work
from sauropod.server.serving import Server
from sauropod.server.store import ResponseRecord
from sauropod.server.wire.responses.inputs import read_input
from sauropod.server.wire.responses.items import plain
from sauropod.server.wire.responses.prompts import messages_of, options_of
from sauropod.server.wire.responses.request import CreateResponse, read_create
from sauropod.server.wire.responses.response import began
from sauropod.server.wire.responses.tools import Toolbox
from sauropod.server.wire.responses.writer import ResponseWriter

__all__ = ["Responder"]

Item = dict[str, Any]


@attrs.define(eq=False)
class Responder:
    """Makes responses, and knows those that are being written."""

    server: Server
    _running: dict[str, Running] = attrs.field(factory=dict)
    _conversations: set[str] = attrs.field(factory=set)
    """Those that are being added to."""

    def running(self, response_id: str) -> Running | None:
        """The response of that id, while it is being written. One that is not stored is its own client's alone."""
        found = self._running.get(response_id)
        return None if found is None or found.recorder is None else found

    @property
    def busy(self) -> bool:
        """Whether anything is being written."""
        return any(running.response.status != "queued" for running in self._running.values())

    async def start(
        self, asked: CreateResponse, request: bytes, memory: Memory | None = None, *, generate: bool = True
    ) -> Running:
        """Read a request and set to work. Raises `Problem` for one that is wrong; nothing is left of it then."""
        self.server.catalog.entry(asked.model)
        self._reserve(asked.conversation_id)
        try:
            return await self._start(asked, request, memory, generate)
        except BaseException:
            self._free(asked.conversation_id)
            raise

    async def _start(self, asked: CreateResponse, request: bytes, memory: Memory | None, generate: bool) -> Running:
        given = read_input(asked.input, self.server.new_id)
        history = History(self.server.store, memory)
        before = await history.before(asked.previous_response_id, asked.conversation_id)
        items = await history.resolved(given, before)
        if asked.conversation_id is not None:
            items = told_apart(items, before, self.server.new_id)
        recorder = Recorder(self.server.store, bool(asked.stream or asked.background)) if asked.stored else None
        name, now = self.server.new_id("resp"), int(self.server.now())
        work, writer = self._made(asked, before, items, request, name, now)
        running = Running(self.server, attrs.evolve(work, generate=generate), writer, recorder)
        self._begin(running, asked.conversation_id, memory, [*before, *items])
        return running

    async def resume(self, record: ResponseRecord) -> Running:
        """Set to work on one that is stored, and of which nothing was written. Raises `Problem`."""
        asked = read_create(record.request)
        self._reserve(asked.conversation_id)
        try:
            return await self._resume(record, asked)
        except BaseException:
            self._free(asked.conversation_id)
            raise

    async def _resume(self, record: ResponseRecord, asked: CreateResponse) -> Running:
        store = self.server.store
        before = await History(store).before(asked.previous_response_id, asked.conversation_id)
        items = [msgspec.json.decode(item.payload) for item in await store.all_input_items(record.id)]
        recorder = Recorder(store, True, begun=True, known=len(await store.events(record.id, after=-1)))
        work, writer = self._made(asked, before, items, record.request, record.id, record.created_at)
        running = Running(self.server, work, writer, recorder)
        self._begin(running, asked.conversation_id, None, [])
        return running

    def _made(
        self, asked: CreateResponse, before: list[Item], items: list[Item], request: bytes, name: str, now: int
    ) -> tuple[Work, ResponseWriter]:
        entry, toolbox = self.server.catalog.entry(asked.model), Toolbox.of(asked.tools)
        response = began(asked, id=name, model=entry.name, created_at=now)
        if toolbox.skipped:
            self.server.log.warning("%s: tools left out: %s.", name, ", ".join(sorted(set(toolbox.skipped))))
        work = Work(
            model=entry.name,
            messages=messages_of([*before, *items], asked.instructions, toolbox),
            options=options_of(asked, toolbox),
            items=items,
            request=request,
            expires=self.server.expires_at(now),
            background=response.background,
        )
        writer = ResponseWriter(
            response,
            toolbox,
            self.server.new_id,
            logprobs=bool(asked.top_logprobs) or asked.wants("message.output_text.logprobs"),
            encrypted=asked.wants("reasoning.encrypted_content"),
        )
        return work, writer

    def _begin(self, running: Running, conversation: str | None, memory: Memory | None, said: list[Item]) -> None:
        previous = running.response.previous_response_id
        # What goes on from something that is not stored can be gone on from where that is remembered, stored or not.
        remembered = running.recorder is None or (memory is not None and memory.recall(previous or "") is not None)

        def ended() -> None:
            self._running.pop(running.response.id, None)
            self._free(conversation)
            if memory is not None and remembered and running.problem is None:
                memory.keep(running.response.id, [*said, *map(plain, running.response.output)])

        self._running[running.response.id] = running
        running.start(ended)

    def _reserve(self, conversation: str | None) -> None:
        """Nobody else adds to it from now on. Raises `Problem` if somebody does."""
        if conversation is None:
            return
        if conversation in self._conversations:
            raise Problem(
                409,
                f"Another response is being added to the conversation '{conversation}'. Wait until it has ended.",
                code="conversation_locked",
                param="conversation",
                retry=1.0,
            )
        self._conversations.add(conversation)

    def _free(self, conversation: str | None) -> None:
        if conversation is not None:
            self._conversations.discard(conversation)

    async def stop_all(self) -> None:
        """What still runs is stopped, and kept as incomplete."""
        for running in list(self._running.values()):
            await running.stop("incomplete")
