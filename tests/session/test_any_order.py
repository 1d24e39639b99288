"""Whatever an application and its user do, in whatever order: nothing is stuck, and no rule is broken."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sauropod import CallItem, ReplyAudio, ResultItem, SaidItem, Session, Tool, TurnTaking, UnsupportedInput
from sauropod._session.conductor import Conductor
from sauropod.testing import speech_of
from session.rules import Rules
from session.talking import RATE, models, silence, speak

SAYS = {
    "Who are you?": "I am a fake. What are you?",
    "Look it up.": '<tool_call>{"name": "look", "arguments": {}}</tool_call>',
    "Ask them.": 'Well. <tool_call>{"name": "ask", "arguments": {}}</tool_call>',
    "And then I": "You did.",
    "found it": "It is found.",
    "Fail now.": "",
}
NOISE = np.full(round(0.16 * RATE), 0.09, np.float32)

TURNS = st.sampled_from(
    [None, TurnTaking(), TurnTaking(interrupt=False), TurnTaking(respond=False), TurnTaking(patience=1)]
)
ACTION = st.one_of(
    st.tuples(st.just("say"), st.sampled_from(list(SAYS))),
    st.tuples(st.just("pause"), st.sampled_from([0.1, 0.3, 0.7])),
    st.tuples(st.just("noise")),
    st.tuples(st.just("wait"), st.integers(1, 30)),
    st.tuples(st.just("audio")),
    st.tuples(st.sampled_from(["commit", "clear", "cancel", "remove", "result", "truncate", "apart"])),
    st.tuples(st.just("write"), st.sampled_from(list(SAYS))),
    st.tuples(st.just("listen"), st.sampled_from(list(SAYS))),
    st.tuples(st.just("respond"), st.sampled_from(["audio", "text"])),
    st.tuples(st.just("turns"), TURNS),
    st.tuples(st.just("tune"), st.booleans()),
)


def look() -> str:
    return "found it"


class Application:
    """Does what it is told, and reads all the while."""

    def __init__(self, session: Session) -> None:
        self.session, self.events = session, list[Any]()
        self.heard = anyio.Event()

    async def read(self) -> None:
        async for event in self.session:
            self.events.append(event)
            if isinstance(event, ReplyAudio):
                self.heard.set()
                self.heard = anyio.Event()

    async def do(self, action: tuple[Any, ...]) -> None:
        session, items = self.session, list(self.session.items)
        match action:
            case ("say", text):
                await speak(session, speech_of(text))
            case ("pause", seconds):
                await speak(session, silence(seconds))
            case ("noise",):
                await speak(session, NOISE)
            case ("wait", times):
                for _ in range(times):
                    await anyio.lowlevel.checkpoint()
            case ("audio",):
                with anyio.move_on_after(0.05):
                    await self.heard.wait()
            case ("commit",):
                await session.commit()
            case ("clear",):
                await session.clear()
            case ("cancel",):
                await session.cancel()
            case ("remove",) if items:
                await session.remove(items[len(items) // 2].id)
            case ("result",):
                for item in items:
                    if isinstance(item, CallItem):
                        await session.add(ResultItem(item.call.id or "", "found it"))
            case ("truncate",):
                said = [item for item in items if isinstance(item, SaidItem) and item.role == "assistant"]
                await session.truncate(said[-1].id if said else "nothing", 0.04)
            case ("apart",):
                await session.respond(apart=True, output="text", items=[SaidItem("user", "found it")])
            case ("write", text):
                await session.add(text)
            case ("listen", text):
                from sauropod import AudioFrame

                await session.add(SaidItem("user", audio=AudioFrame(speech_of(text), RATE)))
            case ("respond", output):
                await session.respond(output=output)
            case ("turns", turns):
                await session.update(turns=turns)
            case ("tune", on):
                await session.update(speculate=on, prefill=not on)

    async def settle(self) -> None:
        """Silence, until everybody has come to an end."""
        await self.session.update(turns=TurnTaking())
        await speak(self.session, silence(1.0))
        await self.session.clear()  # which comes after all that was sent
        conductor = self.session._open
        with anyio.move_on_after(10):
            while not self.is_quiet(conductor):
                await anyio.sleep(0.005)
        answering, turns = conductor.answering, conductor.stage.turns
        running = answering.executing._running, answering.executing.due, answering.executing.rounds
        assert self.is_quiet(conductor), f"it is stuck: {turns}, {running}, {list(answering._apart)}"

    @staticmethod
    def is_quiet(conductor: Conductor) -> bool:
        """Whether nothing is under way."""
        answering = conductor.answering
        busy = answering.executing.busy or answering._apart or conductor.stage.unsettled
        return conductor.stage.turns.vacant and not busy


async def converse(actions: list[tuple[Any, ...]], ahead: float | None, hears: bool) -> Rules:
    rules = Rules()
    async with models(SAYS, ears={"fails_on": "Fail"}, hears=hears) as (engine, voice, ears):
        tools: list[Any] = [look, Tool("ask")]
        async with (
            Session(engine, voice=voice, transcriber=ears, tools=tools, ahead_seconds=ahead) as session,
            anyio.create_task_group() as tasks,
        ):
            application = Application(session)
            tasks.start_soon(application.read)
            for action in actions:
                with suppress(UnsupportedInput):
                    await application.do(action)
            await application.settle()
            for _ in range(5):
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
    rules.take_all(application.events)
    rules.finish()
    return rules


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(actions=st.lists(ACTION, max_size=25), ahead=st.sampled_from([None, 0.02]), hears=st.booleans())
def test_nothing_is_stuck_and_no_rule_is_broken(
    actions: list[tuple[Any, ...]], ahead: float | None, hears: bool
) -> None:
    anyio.run(converse, actions, ahead, hears)


def test_the_rules_see_what_is_wrong() -> None:
    from sauropod import Reply, ReplyFinished, ReplyStarted, ReplyText

    reply = Reply(id="r", output="text")
    for events in (
        [ReplyText("r", "i", "x")],
        [ReplyStarted(reply), ReplyStarted(reply)],
        [ReplyStarted(reply), ReplyFinished(reply)],
    ):
        with pytest.raises(AssertionError):
            Rules().take_all(events)
    unfinished = Rules()
    unfinished.take(ReplyStarted(reply))
    with pytest.raises(AssertionError, match="never ended"):
        unfinished.finish()
