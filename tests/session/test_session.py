"""Sessions, over models made of arithmetic: what the fake voice says, the fake ears hear."""

from __future__ import annotations

from typing import Any

import anyio
import numpy as np
import pytest

from sauropod import (
    AudioCommitted,
    AudioFrame,
    CallItem,
    ClosedError,
    IdleTimedOut,
    Item,
    ItemDone,
    ItemRemoved,
    ItemTruncated,
    NothingHeard,
    ReplyAudio,
    ReplyCallDelta,
    ReplyFinished,
    ReplyHeld,
    ReplyResumed,
    ReplyStarted,
    ReplyText,
    ResultItem,
    SaidItem,
    Session,
    SessionSettings,
    SessionUpdated,
    Tool,
    TurnTaking,
    UnsupportedInput,
    UserSaid,
    UserStarted,
    UserStopped,
    UserUnheard,
)
from sauropod.testing import speech_of
from session.talking import RATE, conversation, models, names, of, said, silence, speak, until

pytestmark = pytest.mark.anyio

SPOKEN = [
    *("UserStarted", "UserStopped", "AudioCommitted", "ItemAdded", "UserSaid", "ItemDone"),
    *("ReplyStarted", "ItemAdded", "ReplyText", "ReplyAudio", "ItemDone", "ReplyFinished"),
]


def texts(session: Session) -> list[str | None]:
    return [item.text for item in session.items if isinstance(item, SaidItem)]


async def test_what_is_said_is_heard_and_answered_aloud() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        await speak(session, np.concatenate([silence(0.4), said("Who are you?")]))
        events = await until(session, ReplyFinished)
        assert [each for each in names(events) if each != "UserHeard"] == SPOKEN
        assert "".join(event.text for event in of(events, ReplyText)) == "I am a fake."
        spoken = np.concatenate([event.frame.samples for event in of(events, ReplyAudio)])
        expected = speech_of("I am a fake.", 24_000)
        assert np.array_equal(spoken[: len(expected)], expected)
        assert not spoken[len(expected) :].any()
        (finished,) = of(events, ReplyFinished)
        assert finished.reply.status == "completed"
        assert finished.reply.usage is not None
        assert texts(session) == ["Who are you?", "I am a fake."]
        (started,), (stopped,) = of(events, UserStarted), of(events, UserStopped)
        assert started.start == pytest.approx(0.1, abs=0.03)
        assert stopped.end == pytest.approx(0.4 + 12 * 0.02 + 0.1, abs=0.03)


async def test_the_reply_is_begun_at_the_pause_and_told_of_at_the_end() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        await speak(session, said("Who are you?"))
        timings = of(await until(session, ReplyFinished), ReplyFinished)[0].reply.timings
        assert timings.speculated
        assert timings.transcript is not None
        assert timings.endpoint is not None
        assert timings.first_audio is not None
        assert timings.transcript < timings.endpoint <= timings.first_audio


async def test_without_speculation_nothing_is_begun_before_the_end() -> None:
    async with conversation({"Who are you?": "I am a fake."}, speculate=False, prefill=False) as session:
        await speak(session, said("Who are you?"))
        reply = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        assert not reply.timings.speculated
        assert texts(session) == ["Who are you?", "I am a fake."]


async def test_a_turn_with_a_pause_in_it_is_answered_as_a_whole() -> None:
    async with conversation({"Who are you": "Too early.", "Who are you then?": "I am a fake."}) as session:
        await speak(session, np.concatenate([said("Who are you", gap=0.3), said("then?")]))
        events = await until(session, ReplyFinished)
        assert len(of(events, ReplyStarted)) == 1
        assert texts(session)[0] is not None
        assert str(texts(session)[0]).startswith("Who are you")
        assert str(texts(session)[0]).endswith("then?")


async def test_several_turns_are_one_conversation() -> None:
    says = {"Who are you?": "I am a fake.", "And I?": "You are a test."}
    async with conversation(says) as session:
        for question in says:
            await speak(session, said(question))
            await until(session, ReplyFinished)
        assert texts(session) == ["Who are you?", "I am a fake.", "And I?", "You are a test."]


async def test_what_is_written_is_answered_too() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        item = await session.add("Who are you?")
        reply = await session.respond(output="text")
        events = await until(session, ReplyFinished)
        assert names(events) == [
            "ItemAdded",
            "ItemDone",
            "ReplyStarted",
            "ItemAdded",
            "ReplyText",
            "ItemDone",
            "ReplyFinished",
        ]
        assert of(events, ReplyFinished)[0].reply.id == reply
        assert session.retrieve(item.id) == item


async def test_what_is_added_as_audio_is_listened_to_before_it_is_answered() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        audio = AudioFrame(speech_of("Who are you?"), RATE)
        item = await session.add(SaidItem("user", audio=audio))
        await session.respond()
        events = await until(session, ReplyFinished)
        assert of(events, UserSaid)[0].item.id == item.id
        assert texts(session) == ["Who are you?", "I am a fake."]


async def test_the_application_may_say_when_a_turn_is_over() -> None:
    async with conversation({"Who are you?": "I am a fake."}, turns=None) as session:
        await speak(session, said("Who are you?"))
        item = await session.commit()
        await session.respond()
        events = await until(session, ReplyFinished)
        assert not of(events, UserStarted)
        assert of(events, AudioCommitted) == [AudioCommitted(item, None)]
        assert texts(session) == ["Who are you?", "I am a fake."]
        with pytest.raises(UnsupportedInput, match="no audio"):
            await session.commit()


async def test_audio_that_is_cleared_is_not_heard() -> None:
    async with conversation({"Who are you?": "I am a fake."}, turns=None) as session:
        await speak(session, said("Nobody hears this."))
        await session.clear()
        await speak(session, said("Who are you?"))
        await session.commit()
        await until(session, UserSaid)
        assert texts(session) == ["Who are you?"]


async def test_a_turn_may_be_ended_in_the_middle_of_a_word() -> None:
    async with conversation() as session:
        await speak(session, speech_of("Who are you?"))
        item = await session.commit()
        events = await until(session, UserSaid)
        assert [event.item_id for event in of(events, UserStopped)] == [item]
        assert texts(session) == ["Who are you?"]
        assert not of(events, ReplyStarted)


async def test_speech_cuts_a_reply_to_what_was_heard_of_it() -> None:
    says = {
        "Tell me a lot.": "One two three. Four five six. Seven eight nine. Ten eleven twelve.",
        "Stop it now.": "Well.",
    }
    async with conversation(says, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio, where=lambda event: event.frame.start > 24_000 * 0.3)
        await speak(session, said("Stop it now."))
        events = await until(session, ReplyFinished)
        (held,) = of(events, ReplyHeld)
        (finished,) = of(events, ReplyFinished)
        assert (finished.reply.id, finished.reply.status, finished.reply.reason) == (
            held.reply_id,
            "cancelled",
            "interrupted",
        )
        after = events[events.index(held) :]
        assert not of(after, ReplyAudio)
        await until(session, ReplyFinished)
        whole, cut = says["Tell me a lot."], texts(session)[1]
        assert cut is not None
        assert whole.startswith(cut)
        assert "One two three." in cut
        assert "nine" not in cut
        assert texts(session)[2:] == ["Stop it now.", "Well."]


async def test_the_item_that_was_cut_is_told_of_with_its_length() -> None:
    says = {"Tell me a lot.": "One two three. Four five six. Seven eight nine. Ten eleven twelve."}
    async with conversation(says, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio, where=lambda event: event.frame.start > 24_000 * 0.3)
        await session.cancel()
        events = await until(session, ItemTruncated)
        (done,), (cut,) = of(events, ItemDone), of(events, ItemTruncated)
        assert done.item.id == cut.item_id
        assert isinstance(done.item, SaidItem)
        assert (done.item.status, done.item.text) == ("incomplete", cut.text)
        assert 0 < cut.seconds < 1


async def test_a_noise_over_a_reply_holds_it_and_then_it_goes_on() -> None:
    says = {"Tell me a lot.": "One two three four five six seven eight nine ten."}
    noise = np.full(round(0.14 * RATE), 0.09, np.float32)  # louder than silence, and not a letter
    async with conversation(says, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio)
        await speak(session, np.concatenate([noise, silence(0.6)]))
        events = await until(session, ReplyFinished)
        assert of(events, ReplyHeld)
        assert of(events, ReplyResumed)
        assert not of(events, UserStarted)
        assert of(events, ReplyFinished)[0].reply.status == "completed"
        assert texts(session) == ["Tell me a lot.", says["Tell me a lot."]]


async def test_a_reply_that_may_not_be_interrupted_goes_on_and_then_the_next_is_given() -> None:
    says = {"Tell me a lot.": "One two three four five six.", "And I?": "You are a test."}
    async with conversation(says, ahead_seconds=0.02, turns=TurnTaking(interrupt=False)) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio)
        await speak(session, said("And I?"))
        events = [*await until(session, ReplyFinished), *await until(session, ReplyFinished)]
        assert [event.reply.status for event in of(events, ReplyFinished)] == ["completed", "completed"]
        assert not of(events, ReplyHeld)
        assert sorted(map(str, texts(session))) == sorted([*says, *says.values()])


async def test_speech_without_a_word_in_it_is_not_answered() -> None:
    noise = np.full(round(0.3 * RATE), 0.09, np.float32)
    async with conversation({"Who are you?": "I am a fake."}) as session:
        await speak(session, np.concatenate([noise, silence(0.7)]))
        events = await until(session, NothingHeard)
        await speak(session, said("Who are you?"))
        events += await until(session, ReplyFinished)
        assert len(of(events, ReplyStarted)) == 1
        assert texts(session) == ["", "Who are you?", "I am a fake."]


async def test_a_recogniser_that_fails_fails_the_turn_and_nothing_else() -> None:
    async with conversation({"Who are you?": "I am a fake."}, ears={"fails_on": "Failure"}) as session:
        await speak(session, said("Failure"))
        events = await until(session, ReplyFinished)
        assert of(events, UserUnheard)
        assert of(events, ReplyFinished)[0].reply.status == "failed"
        await speak(session, said("Who are you?"))
        assert of(await until(session, ReplyFinished), ReplyFinished)[0].reply.status == "completed"


async def test_functions_are_called_and_what_they_gave_is_answered() -> None:
    def weather(city: str) -> str:
        return f"sun in {city}"

    says = {
        "How is it?": '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>',
        "sun in": "Sunny.",
    }
    async with conversation(says, tools=[weather]) as session:
        await speak(session, said("How is it?"))
        events = [*await until(session, ReplyFinished), *await until(session, ReplyFinished)]
        call = next(event.item for event in of(events, ItemDone) if isinstance(event.item, CallItem))
        assert (call.call.name, dict(call.call.arguments)) == ("weather", {"city": "Oslo"})
        assert "".join(event.arguments for event in of(events, ReplyCallDelta)) == '{"city":"Oslo"}'
        assert [type(item) for item in session.items] == [SaidItem, CallItem, ResultItem, SaidItem]
        assert texts(session) == ["How is it?", "Sunny."]


async def test_calls_of_other_tools_are_for_the_application() -> None:
    says = {"How is it?": '<tool_call>{"name": "weather", "arguments": {}}</tool_call>', "rain": "It rains."}
    async with conversation(says, tools=[Tool("weather")]) as session:
        await speak(session, said("How is it?"))
        events = await until(session, ReplyFinished)
        call = next(event.item for event in of(events, ItemDone) if isinstance(event.item, CallItem))
        await session.add(ResultItem(call.call.id or "", "rain"))
        await session.respond()
        await until(session, ReplyFinished)
        assert texts(session) == ["How is it?", "It rains."]


async def test_functions_are_not_called_for_ever() -> None:
    calls: list[int] = []

    def again() -> str:
        calls.append(1)
        return "again"

    says = {"Go": '<tool_call>{"name": "again", "arguments": {}}</tool_call>'}
    says["again"] = says["Go"]
    async with conversation(says, tools=[again], tool_rounds=3) as session:
        await session.add("Go")
        await session.respond(output="text")
        for _ in range(4):
            await until(session, ReplyFinished)
        assert len(calls) == 3


async def test_a_reply_apart_is_no_part_of_the_conversation() -> None:
    says = {"Tell me a lot.": "One two three four five.", "Sum up.": "A sum."}
    async with conversation(says, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio)
        apart = await session.respond(
            apart=True, output="text", items=[SaidItem("user", "Sum up.")], metadata={"a": "b"}
        )
        events = await until(session, ReplyFinished, where=lambda event: event.reply.id == apart)
        reply = of(events, ReplyFinished)[-1].reply
        assert reply.apart
        assert dict(reply.metadata) == {"a": "b"}
        assert [item.text for item in reply.items if isinstance(item, SaidItem)] == ["A sum."]
        await until(session, ReplyFinished)
        assert texts(session) == ["Tell me a lot.", "One two three four five."]


async def test_while_a_reply_is_written_no_other_is_begun() -> None:
    async with conversation(eos_rate=0.0) as session:
        await session.add("Go on for ever.")
        await session.respond(output="text")
        await until(session, ReplyText)
        with pytest.raises(UnsupportedInput, match="is being written"):
            await session.respond()
        await session.cancel()
        (cut,) = of(await until(session, ReplyFinished), ReplyFinished)
        assert cut.reply.reason == "cancelled"
        assert cut.reply.usage is not None
        assert cut.reply.usage.prompt_tokens > 0
        assert cut.reply.usage.completion_tokens > 0
        with pytest.raises(UnsupportedInput, match="No reply"):
            await session.cancel()


async def test_a_reply_that_is_asked_for_while_another_is_played_begins_after_it() -> None:
    says = {"Tell me a lot.": "One two three four five six seven.", "And I?": "You."}
    async with conversation(says, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me a lot."))
        await until(session, ReplyAudio)
        await session.add("And I?")
        reply = await session.respond()
        with pytest.raises(UnsupportedInput, match="asked for already"):
            await session.respond()
        events = [*await until(session, ReplyFinished), *await until(session, ReplyFinished)]
        assert of(events, ReplyFinished)[1].reply.id == reply
        assert texts(session)[-1] == "You."


async def test_a_limit_of_tokens_leaves_the_reply_incomplete() -> None:
    async with conversation(eos_rate=0.0) as session:
        await session.add("Go on for ever.")
        await session.respond(output="text", max_tokens=5)
        reply = of(await until(session, ReplyFinished), ReplyFinished)[0].reply
        assert (reply.status, reply.reason) == ("incomplete", "max_tokens")


async def test_a_turn_that_sounds_complete_ends_at_its_first_pause() -> None:
    says = {"Who are you?": "I am a fake.", "And I am": "No."}
    async with conversation(says, turns=TurnTaking(patience=3.0)) as session:
        await speak(session, said("Who are you?", gap=0.3))
        await until(session, ReplyFinished)
        await speak(session, said("And I am", gap=0.6))
        await speak(session, said("a test.", gap=0.3))
        await until(session, UserSaid)
        assert texts(session)[:2] == ["Who are you?", "I am a fake."]
        assert str(texts(session)[2]).startswith("And I am")
        assert str(texts(session)[2]).endswith("a test.")


async def test_a_model_that_hears_whether_a_turn_is_over_is_asked_before_the_words_are() -> None:
    says = {"I think it is the.": "I see."}
    options = {"turns": TurnTaking(patience=3.0), "turn_detector": "fake:turn_detector"}  # which waits for a full stop
    async with conversation(says, **options) as session:
        await speak(session, said("I think", gap=0.4))
        await speak(session, said("it is the.", gap=0.3))
        await until(session, ReplyFinished)
        text = texts(session)[0]
        assert text is not None
        assert text.startswith("I think")
        assert text.endswith("it is the.")


async def test_a_long_silence_behind_a_reply_is_broken() -> None:
    async with conversation({"Who are you?": "I am a fake."}, turns=TurnTaking(idle_seconds=0.1)) as session:
        await speak(session, said("Who are you?"))
        await until(session, ReplyFinished)
        events = await until(session, ReplyFinished)
        assert names(events)[:4] == ["IdleTimedOut", "AudioCommitted", "ItemAdded", "ItemDone"]
        assert of(events, IdleTimedOut)


async def test_settings_may_change_in_the_middle() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        await session.update(instructions="Be brief.", output="text", turns=TurnTaking(respond=False))
        events = await until(session, SessionUpdated)
        assert of(events, SessionUpdated)[0].settings == session.settings
        await speak(session, said("Who are you?"))
        await until(session, UserSaid)
        await session.respond()
        events = await until(session, ReplyFinished)
        assert not of(events, ReplyAudio)
        with pytest.raises(TypeError, match="no setting"):
            await session.update(speed_of_light=1)  # type: ignore[call-arg]
        with pytest.raises(UnsupportedInput, match="fake"):
            await session.update(voice_name="nobody")
        assert session.settings.voice_name is None


@pytest.mark.parametrize(
    "wrong", [{"overflow": "spill"}, {"tool_choice": "sometimes"}, {"sampling": 0.5}, {"output": "song"}, {"tools": 3}]
)
def test_settings_that_make_no_sense_are_refused_at_once(wrong: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedInput):
        SessionSettings(**wrong)


async def test_items_are_put_where_they_belong_and_taken_out() -> None:
    async with conversation() as session:
        last = await session.add("last")
        first = await session.add(SaidItem("system", "first"), after="root")
        middle = await session.add("middle", after=first.id)
        assert [item.id for item in session.items] == [first.id, middle.id, last.id]
        await session.remove(middle.id)
        assert of(await until(session, ItemRemoved), ItemRemoved) == [ItemRemoved(middle.id)]
        with pytest.raises(UnsupportedInput, match="no item"):
            session.retrieve(middle.id)
        with pytest.raises(UnsupportedInput, match="no item"):
            await session.add("x", after=middle.id)
        with pytest.raises(UnsupportedInput, match="already"):
            await session.add(SaidItem("user", "x", id=last.id))


async def test_a_reply_is_cut_to_what_the_application_says_was_heard() -> None:
    async with conversation({"Who are you?": "I am a fake. I say so."}) as session:
        await speak(session, said("Who are you?"))
        await until(session, ReplyFinished)
        item = session.items[1]
        await session.truncate(item.id, 12 * 0.02)
        (cut,) = of(await until(session, ItemTruncated), ItemTruncated)
        assert cut.text == "I am a fake."
        assert texts(session)[1] == "I am a fake."
        with pytest.raises(UnsupportedInput, match="outside"):
            await session.truncate(item.id, 60.0)
        with pytest.raises(UnsupportedInput, match="not said aloud"):
            await session.truncate(session.items[0].id, 0.1)


async def test_bad_audio_is_refused_and_changes_nothing() -> None:
    async with conversation({"Who are you?": "I am a fake."}) as session:
        for frame in (
            "no frame",
            AudioFrame(np.zeros((2, 2), np.float32), RATE),
            AudioFrame(np.full(10, np.nan, np.float32), RATE),
            AudioFrame(np.zeros(10, np.float32), 3),
        ):
            with pytest.raises(UnsupportedInput):
                await session.send(frame)  # type: ignore[arg-type]
        await speak(session, said("Who are you?"))
        await until(session, ReplyFinished)
        with pytest.raises(UnsupportedInput, match="one rate"):
            await session.send(AudioFrame(np.zeros(10, np.float32), 8_000))


async def test_a_session_without_ears_or_voice_says_so() -> None:
    async with models({"Who are you?": "I am a fake."}) as (engine, _, _), Session(engine) as session:
        with pytest.raises(UnsupportedInput, match="hears nothing"):
            await session.send(AudioFrame(silence(0.1), RATE))
        with pytest.raises(UnsupportedInput, match="no voice"):
            await session.respond(output="audio")
        with pytest.raises(UnsupportedInput, match="nothing to answer"):
            await session.respond()
        await session.add("Who are you?")
        await session.respond()
        assert of(await until(session, ReplyFinished), ReplyFinished)[0].reply.output == "text"


async def test_a_session_is_used_within_its_block() -> None:
    async with models() as (engine, voice, ears):
        session = Session(engine, voice=voice, transcriber=ears)
        with pytest.raises(ClosedError):
            await session.send(AudioFrame(silence(0.1), RATE))
        async with session:
            pass
        with pytest.raises(ClosedError):
            await session.respond()


async def test_many_sessions_share_the_models() -> None:
    says = {f"Number {n}?": f"I am number {n}." for n in range(6)}
    heard: dict[int, list[Item]] = {}
    async with models(says, slots=8) as (engine, voice, ears):

        async def talk(number: int) -> None:
            async with Session(engine, voice=voice, transcriber=ears, ahead_seconds=None) as session:
                await speak(session, said(f"Number {number}?"))
                await until(session, ReplyFinished)
                heard[number] = list(session.items)

        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(talk, number)
    for number, items in heard.items():
        assert [item.text for item in items if isinstance(item, SaidItem)] == [
            f"Number {number}?",
            f"I am number {number}.",
        ]


async def test_leaving_in_the_middle_of_a_reply_leaves_nothing_behind(nothing_leaks: None) -> None:
    async with conversation({"Tell me": "One two three four five six seven."}, ahead_seconds=0.02) as session:
        await speak(session, said("Tell me"))
        await until(session, ReplyAudio)


async def test_what_was_said_before_a_long_turn_is_cut_belongs_to_the_turn() -> None:
    async with conversation({"end.": "That was long."}, ears={"max_seconds": 2.0}) as session:
        await speak(
            session, said("A turn that goes on and on and on until nobody can hear all of it at once, to its end.")
        )
        events = await until(session, ReplyFinished)
        assert len(of(events, UserStarted)) == len(of(events, ReplyStarted)) == 1
        text = texts(session)[0]
        assert text is not None
        assert text.startswith("A turn that goes on")
        assert text.endswith("its end.")
