"""Sessions in trouble: slow ears, failing voices, bad requests, and ends at a bad moment."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import numpy as np
import pytest

from sauropod import (
    CallItem,
    ClosedError,
    Message,
    NothingHeard,
    ReplyAudio,
    ReplyFinished,
    ReplyHeld,
    ReplyResumed,
    ResultItem,
    SaidItem,
    Session,
    ToolCall,
    TurnTaking,
    UnsupportedInput,
    UserSaid,
    Voice,
)
from sauropod._session.items import messages_of
from sauropod.testing import speech_of
from session.talking import RATE, conversation, models, of, said, silence, speak, until

pytestmark = pytest.mark.anyio

SAYS = {"Tell me a lot.": "One two three four five six seven eight nine ten. " * 2, "Stop": "I have stopped."}
SLOW = {"seconds": 0.5}


async def interrupted(session: Session) -> None:
    """A long answer is being said."""
    await speak(session, said("Tell me a lot."))
    await until(session, ReplyAudio)


@pytest.mark.parametrize("believe", [0.4, 5.0])
async def test_a_short_interruption_is_answered_however_slow_the_ears_are(believe: float) -> None:
    turns = TurnTaking(believe_seconds=believe)
    async with conversation(SAYS, ears=SLOW, ahead_seconds=0.05, turns=turns) as session:
        await interrupted(session)
        await speak(session, said("Stop it."))
        events = await until(session, ReplyFinished, where=lambda event: event.reply.status == "completed")
        assert of(events, UserSaid)[-1].item.text == "Stop it."


async def test_an_interruption_is_answered_if_the_reply_is_cancelled_while_it_is_doubted() -> None:
    async with conversation(SAYS, ears=SLOW, ahead_seconds=0.05) as session:
        await interrupted(session)
        await speak(session, said("Stop it."))
        await until(session, ReplyHeld)
        await session.cancel()
        events = await until(session, ReplyFinished, where=lambda event: event.reply.status == "completed")
        assert of(events, UserSaid)[-1].item.text == "Stop it."


async def test_who_goes_on_before_it_was_judged_is_heard_as_a_whole() -> None:
    turns = TurnTaking(believe_seconds=5.0)
    async with conversation(SAYS, ears=SLOW, ahead_seconds=0.05, turns=turns) as session:
        await interrupted(session)
        await speak(session, np.concatenate([said("Stop it.", gap=0.65), said("Please stop now.", gap=0.8)]))
        events = await until(session, ReplyFinished, where=lambda event: event.reply.status == "completed")
        heard = " ".join(str(event.item.text) for event in of(events, UserSaid))
        assert "Stop it." in heard
        assert "Please stop now." in heard


async def test_a_cough_is_no_interruption_however_slow_the_ears_are() -> None:
    cough = np.full(round(0.17 * RATE), 0.09, np.float32)
    async with conversation(SAYS, ears={"seconds": 0.9}, ahead_seconds=0.05) as session:
        await interrupted(session)
        await speak(session, np.concatenate([cough, silence(1.5)]))
        events = await until(session, ReplyFinished)
        assert of(events, ReplyResumed)
        assert of(events, ReplyFinished)[0].reply.status == "completed"


async def test_a_request_that_makes_no_sense_changes_nothing() -> None:
    async with conversation(SAYS, ahead_seconds=0.05) as session:
        await session.add("Tell me a lot.")
        with pytest.raises(UnsupportedInput):
            await session.respond(tools=["no tool"])  # type: ignore[list-item]
        reply = await session.respond()
        await until(session, ReplyAudio)
        with pytest.raises(UnsupportedInput, match="outside"):
            await session.truncate(session.items[-1].id, 1e6)
        finished = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        assert (finished.id, finished.status) == (reply, "completed")


async def test_what_was_asked_for_and_cancelled_does_not_shape_the_next_reply() -> None:
    async with conversation(SAYS, ahead_seconds=0.05, speculate=False) as session:
        await interrupted(session)
        await until(session, ReplyAudio, where=lambda event: event.frame.start > 12_000)  # it is written by then
        await session.respond(output="text", metadata={"whose": "mine"})
        await session.cancel()
        await until(session, ReplyFinished)
        await speak(session, said("Stop it."))
        reply = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        assert (reply.output, dict(reply.metadata)) == ("audio", {})


async def test_who_waits_for_a_session_that_ends_finds_out() -> None:
    raised: list[Exception] = []

    async def commit(session: Session) -> None:
        try:
            await session.commit()
        except ClosedError as error:
            raised.append(error)

    async with models(ears={"seconds": 0.2}) as (engine, voice, ears):
        session = Session(engine, voice=voice, transcriber=ears)
        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks, session:
                await speak(session, silence(1.0))  # which takes a while to be heard
                tasks.start_soon(commit, session)
                await anyio.lowlevel.checkpoint()
    assert len(raised) == 1
    with pytest.raises(ClosedError):
        await session.commit()


async def test_a_recording_that_cannot_be_written_is_said_at_once() -> None:
    async with models() as (engine, _, _):
        with pytest.raises(OSError, match="nowhere"):
            async with Session(engine, record="/nowhere/at/all.jsonl"):
                pass


async def test_a_session_may_be_cancelled_while_it_opens() -> None:
    async with models() as (engine, voice, ears):
        with anyio.CancelScope() as scope:
            scope.cancel()
            async with Session(engine, voice=voice, transcriber=ears):
                pass
        assert scope.cancelled_caught


async def test_what_is_cleared_is_not_heard_again_with_what_follows() -> None:
    async with conversation({"How are you?": "Well."}) as session:
        await speak(session, np.concatenate([silence(0.5), speech_of("abc")]))  # too short to be speech
        await session.clear()
        await speak(session, np.concatenate([silence(0.05), said("How are you?")]))
        await until(session, ReplyFinished)
        assert [item.text for item in session.items if isinstance(item, SaidItem)] == ["How are you?", "Well."]


async def test_a_voice_that_fails_says_why() -> None:
    async with (
        models({"Speak.": "This is broken. It goes on and on."}) as (engine, _, ears),
        Voice("fake:synthesizer", isolation="thread", options={"fails_on": "broken"}) as voice,
        Session(engine, voice=voice, transcriber=ears) as session,
    ):
        await session.add("Speak.")
        await session.respond()
        reply = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        assert reply.status == "failed"
        assert "made to fail" in str(reply.error)


async def test_speech_that_cannot_be_recognised_is_no_cough() -> None:
    async with conversation(SAYS, ears={"fails_on": "Failure"}, ahead_seconds=0.05) as session:
        await interrupted(session)
        await speak(session, said("Failure"))
        events = await until(session, ReplyFinished, where=lambda event: event.reply.status == "failed")
        assert not of(events, NothingHeard)
        assert [event.reply.status for event in of(events, ReplyFinished)] == ["cancelled", "failed"]


def test_what_a_tool_gave_comes_right_behind_its_call() -> None:
    first, second = ToolCall("one", {}, "1"), ToolCall("two", {}, "2")
    items: list[Any] = [
        SaidItem("user", "Go."),
        SaidItem("assistant", "I look."),
        CallItem(first),
        SaidItem("user", "Quick!"),
        SaidItem("assistant", "Yes."),
        ResultItem("1", "found"),
        CallItem(second),
        ResultItem("2", "too"),
        CallItem(ToolCall("three", {}, "3")),
    ]
    found = [(message.role, message.content, len(message.tool_calls)) for message in messages_of(items, "Be brief.")]
    assert found == [
        ("system", "Be brief.", 0),
        ("user", "Go.", 0),
        ("assistant", "I look.", 1),
        ("tool", "found", 0),
        ("user", "Quick!", 0),
        ("assistant", "Yes.", 0),
        ("assistant", "", 1),
        ("tool", "too", 0),
    ]
    assert messages_of([]) == list[Message]()
