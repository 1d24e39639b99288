"""What happens in a session is told by OpenAI's events: each is the SDK's, and all are in their order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

import attrs
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sauropod import (
    AudioCleared,
    AudioCommitted,
    AudioFrame,
    CallItem,
    IdleTimedOut,
    ItemAdded,
    ItemDone,
    ItemRemoved,
    ItemTruncated,
    NothingHeard,
    Reply,
    ReplyAudio,
    ReplyCallDelta,
    ReplyFinished,
    ReplyHeld,
    ReplyResumed,
    ReplyStarted,
    ReplyText,
    ResultItem,
    SaidItem,
    SessionEvent,
    SessionSettings,
    SessionUpdated,
    SpeechFrame,
    ToolCall,
    UnsupportedInput,
    Usage,
    UserHeard,
    UserSaid,
    UserStarted,
    UserStopped,
    UserUnheard,
    Word,
)
from sauropod.server.problems import invalid
from sauropod.server.wire.realtime.beta import to_beta
from sauropod.server.wire.realtime.formats import Mulaw
from sauropod.server.wire.realtime.patching import patched
from sauropod.server.wire.realtime.response import reply_id, response_id
from sauropod.server.wire.realtime.session import InputOnly, RealtimeSession, TranscriptionSession
from sauropod.server.wire.realtime.writer import Asked, Writer
from server.realtime_rules import Told

pytest.importorskip("soxr")

HEARS = {"audio": {"input": {"transcription": {"model": "whisper-1"}}}}


def writer(**changes: Any) -> Writer:
    numbers = count()
    session = patched(RealtimeSession(id="sess_1", model="gpt-realtime"), changes)
    return Writer(session, lambda kind: f"{kind}_{next(numbers)}")


def told(events: Iterable[SessionEvent], by: Writer | None = None) -> Told:
    """All of them, checked."""
    by = by or writer(**HEARS)
    found = Told()
    found.take_all(plain(event) for event in by.opening())
    for event in events:
        found.take_all(plain(each) for each in by.write(event))
    return found


def plain(event: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(msgspec.json.encode(event))
    return found


def frame(start: int, size: int = 2400) -> SpeechFrame:
    return SpeechFrame(np.full(size, 0.25, np.float32), 24_000, start)


def heard(item_id: str = "u1", text: str = "Who are you?") -> list[SessionEvent]:
    """A turn of the user's."""
    item = SaidItem("user", None, AudioFrame(np.zeros(160, np.float32), 16_000), True, status="in_progress", id=item_id)
    done = attrs.evolve(item, text=text, status="completed", words=[Word("Who", 0, 0.1, 0.5)])
    return [
        UserStarted(item_id, 0.3),
        UserHeard(item_id, "Who", "are"),
        UserHeard(item_id, "Who are", "you"),
        UserStopped(item_id, 0.3, 1.2),
        AudioCommitted(item_id, None),
        ItemAdded(item, None),
        UserSaid(done, 0.9),
        ItemDone(done, None),
    ]


def answered(
    reply: Reply, text: str = "I am a fake.", *, cut: str | None = None, calls: int = 0, after: str | None = None
) -> list[SessionEvent]:
    """A reply, whole, or cut to what was heard."""
    item = SaidItem("assistant", "", spoken=reply.output == "audio", status="in_progress", id=f"{reply.id}_said")
    events: list[SessionEvent] = [ReplyStarted(reply), ItemAdded(item, after, reply.id)]
    for word in text.split(" "):
        events.append(ReplyText(reply.id, item.id, f"{word} "))
        if item.spoken:
            events.append(ReplyAudio(reply.id, item.id, frame(len(events) * 2400)))
    done = attrs.evolve(
        item, text=f"{text} " if cut is None else cut, status="completed" if cut is None else "incomplete"
    )
    events.append(ItemDone(done, after, reply.id))
    items: list[Any] = [done]
    for number in range(calls):
        call = CallItem(ToolCall("weather", {"city": "Paris"}, f"{reply.id}{number}"), id=f"{reply.id}_call{number}")
        events += called(call, reply.id)
        items.append(call)
    if cut is None:
        ended = attrs.evolve(reply, status="completed", items=items, usage=Usage(10, 4, 6))
        return [*events, ReplyFinished(ended)]
    ended = attrs.evolve(reply, status="cancelled", reason="interrupted", items=items)
    return [*events, ReplyFinished(ended), ItemTruncated(item.id, 0.25, cut)]


def called(call: CallItem, reply: str) -> list[SessionEvent]:
    begun = attrs.evolve(call, call=ToolCall(call.call.name, {}, call.call.id), status="in_progress")
    return [
        ItemAdded(begun, None, reply),
        ReplyCallDelta(reply, call.id, '{"city":'),
        ReplyCallDelta(reply, call.id, '"Paris"}'),
        ItemDone(call, None, reply),
    ]


SPOKEN = Reply(id="reply_1", output="audio", metadata={"topic": "x"})


def test_a_spoken_exchange_is_told_in_openais_order() -> None:
    found = told([*heard(), *answered(SPOKEN, "Fake.", calls=1, after="u1")])
    found.finish()
    assert found.names() == [
        "session.created",
        "conversation.created",
        "input_audio_buffer.speech_started",
        "conversation.item.input_audio_transcription.delta",
        "input_audio_buffer.speech_stopped",
        "input_audio_buffer.committed",
        "conversation.item.added",
        "conversation.item.input_audio_transcription.delta",
        "conversation.item.input_audio_transcription.completed",
        "conversation.item.done",
        "response.created",
        "response.output_item.added",
        "conversation.item.added",
        "response.content_part.added",
        "response.output_audio_transcript.delta",
        "response.output_audio.delta",
        "response.output_audio.done",
        "response.output_audio_transcript.done",
        "response.content_part.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.output_item.added",
        "conversation.item.added",
        "response.function_call_arguments.delta",
        "response.function_call_arguments.done",
        "response.output_item.done",
        "conversation.item.done",
        "response.done",
    ]
    assert found.transcripts == {"u1": "Who are you?"}
    (started,) = found.of("input_audio_buffer.speech_started")
    (stopped,) = found.of("input_audio_buffer.speech_stopped")
    assert (started["audio_start_ms"], stopped["audio_end_ms"]) == (300, 1200)
    response = found.finished["resp_1"]
    assert response["usage"] == {
        "total_tokens": 16,
        "input_tokens": 10,
        "output_tokens": 6,
        "input_token_details": {
            "text_tokens": 10,
            "audio_tokens": 0,
            "image_tokens": 0,
            "cached_tokens": 4,
            "cached_tokens_details": {"text_tokens": 4, "audio_tokens": 0, "image_tokens": 0},
        },
        "output_token_details": {"text_tokens": 6, "audio_tokens": 0},
    }
    assert response["metadata"] == {"topic": "x"}
    assert response["conversation_id"] == found.of("conversation.created")[0]["conversation"]["id"]
    said, call = response["output"]
    assert said["content"] == [{"type": "output_audio", "transcript": "Fake. "}]
    assert (call["call_id"], call["name"], call["arguments"]) == ("call_reply_10", "weather", '{"city":"Paris"}')
    (arguments,) = found.of("response.function_call_arguments.done")
    assert arguments["name"] == "weather"


def test_a_written_reply_is_told_as_text() -> None:
    found = told(answered(Reply(id="reply_1", output="text")))
    assert not found.sounds
    assert found.finished["resp_1"]["output"][0]["content"] == [{"type": "output_text", "text": "I am a fake. "}]
    assert found.finished["resp_1"]["output_modalities"] == ["text"]


def test_a_reply_that_was_cut_is_cancelled_with_what_was_heard() -> None:
    found = told([*answered(SPOKEN, cut="I am"), UserStarted("u2", 2.0)])
    response = found.finished["resp_1"]
    assert (response["status"], response["status_details"]["reason"]) == ("cancelled", "turn_detected")
    assert response["output"][0]["status"] == "incomplete"
    assert response["output"][0]["content"][0]["transcript"] == "I am"
    (truncated,) = found.of("conversation.item.truncated")
    assert (truncated["audio_end_ms"], truncated["content_index"]) == (250, 0)


@pytest.mark.parametrize(
    ("status", "reason", "error", "told_reason"),
    [
        ("cancelled", "cancelled", None, "client_cancelled"),
        ("incomplete", "max_tokens", None, "max_output_tokens"),
        ("incomplete", "context_length", None, "max_output_tokens"),
        ("failed", None, UnsupportedInput("There is no room."), None),
    ],
)
def test_why_a_reply_is_not_complete_is_told(status: Any, reason: Any, error: Any, told_reason: str | None) -> None:
    ended = attrs.evolve(SPOKEN, status=status, reason=reason, error=error)
    details = told([ReplyStarted(SPOKEN), ReplyFinished(ended)]).finished["resp_1"]["status_details"]
    assert (details["type"], details["reason"]) == (status, told_reason)
    if error is not None:
        assert details["error"]["type"] == "invalid_request_error"
        assert details["error"]["message"] == "There is no room."


def test_what_is_apart_is_in_no_conversation() -> None:
    found = told(answered(attrs.evolve(SPOKEN, apart=True), calls=1))
    assert not found.added
    assert found.finished["resp_1"]["conversation_id"] is None
    assert len(found.finished["resp_1"]["output"]) == 2


def test_replies_that_are_apart_may_be_told_beside_another() -> None:
    one = answered(attrs.evolve(SPOKEN, apart=True), calls=1)
    two = answered(Reply(id="reply_2", output="text"))
    mixed: list[SessionEvent] = []
    while one or two:
        mixed += [events.pop(0) for events in (one, two) if events]
    found = told(mixed)
    found.finish()
    assert set(found.finished) == {"resp_1", "resp_2"}


def test_an_item_that_is_deleted_while_it_is_said_is_done_with_the_response() -> None:
    events = answered(SPOKEN)
    said = next(event.item.id for event in events if isinstance(event, ItemAdded))
    gone = [event for event in events if not isinstance(event, ItemDone)]
    found = told([*gone[:3], ItemRemoved(said), *gone[3:]])
    assert found.finished["resp_1"]["output"][0]["status"] == "incomplete"


def test_nobody_is_told_of_transcripts_who_did_not_ask() -> None:
    found = told(heard(), writer())
    assert not [event for event in found.events if "transcription" in event["type"]]
    assert found.of("conversation.item.done")[0]["item"]["content"][0]["transcript"] == "Who are you?"


def test_a_transcript_that_went_another_way_has_no_more_deltas() -> None:
    found = told(heard(text="How are you?"))
    assert found.transcripts == {"u1": "Who are"}
    (completed,) = found.of("conversation.item.input_audio_transcription.completed")
    assert (completed["transcript"], completed["usage"]) == ("How are you?", {"type": "duration", "seconds": 0.9})
    assert "logprobs" not in completed


def test_how_sure_the_words_are_is_told_where_it_is_asked_for() -> None:
    found = told(heard(), writer(**HEARS, include=["item.input_audio_transcription.logprobs"]))
    (completed,) = found.of("conversation.item.input_audio_transcription.completed")
    assert completed["logprobs"] == [
        {"token": "Who", "logprob": pytest.approx(-0.693, abs=0.001), "bytes": [87, 104, 111]}
    ]


def test_what_could_not_be_heard_is_told() -> None:
    item = SaidItem("user", None, spoken=True, status="incomplete", id="u1")
    events: list[SessionEvent] = [
        AudioCommitted("u1", None),
        ItemAdded(item, None),
        UserUnheard("u1", UnsupportedInput("No room.")),
    ]
    found = told([*events, ItemDone(item, None)])
    (failed,) = found.of("conversation.item.input_audio_transcription.failed")
    assert failed["error"]["message"] == "No room."
    silent = told([*events[:2], NothingHeard("u1"), ItemDone(attrs.evolve(item, text=""), None)])
    assert silent.of("conversation.item.input_audio_transcription.completed")[0]["transcript"] == ""


def test_small_things_have_their_events() -> None:
    result = ResultItem("7", "18 degrees", id="r1")
    events: list[SessionEvent] = [
        AudioCleared(),
        ItemAdded(result, None),
        ItemDone(result, None),
        IdleTimedOut("u1", 1.0, 7.0),
        ReplyHeld("reply_1"),
        ReplyResumed("reply_1"),
        ItemRemoved("r1"),
    ]
    assert told(events).names()[2:] == [
        "input_audio_buffer.cleared",
        "conversation.item.added",
        "conversation.item.done",
        "input_audio_buffer.timeout_triggered",
        "conversation.item.deleted",
    ]


def test_every_update_is_told_as_it_was() -> None:
    by = writer()
    for text in ("one", "two"):
        session = by.updates[-1] if by.updates else by.session
        assert isinstance(session, RealtimeSession)
        by.updates.append(patched(session, {"instructions": text}))
    found = told([SessionUpdated(SessionSettings()), SessionUpdated(SessionSettings())], by)
    assert [event["session"]["instructions"] for event in found.of("session.updated")] == ["one", "two"]
    assert isinstance(by.session, RealtimeSession)
    assert by.session.instructions == "two"


def test_a_reply_may_have_its_own_format_and_voice() -> None:
    by = writer()
    by.ask("reply_1", Asked(Mulaw(), "alloy"))
    found = told(answered(SPOKEN), by)
    (sound,) = found.sounds.values()
    assert len(sound) == 4 * 800
    assert found.finished["resp_1"]["audio"]["output"] == {"format": {"type": "audio/pcmu"}, "voice": "alloy"}
    assert not by.asked
    assert by.spoke


def test_of_replies_that_were_asked_for_those_are_known_that_can_still_begin() -> None:
    by = writer()
    by.ask("reply_1", Asked())
    by.ask("reply_2", Asked(apart=True))
    by.ask("reply_3", Asked())
    assert (set(by.asked), by.apart) == ({"reply_2", "reply_3"}, 1)
    by.forget(None)
    assert set(by.asked) == {"reply_2"}
    by.forget("reply_2")
    assert (by.asked, by.apart) == ({}, 0)


def test_the_sound_is_what_was_said() -> None:
    (sound,) = told(answered(SPOKEN)).sounds.values()
    assert np.array_equal(np.frombuffer(sound, "<i2"), np.full(4 * 2400, 8192))


def test_ids_of_replies_and_of_responses_are_each_others() -> None:
    assert reply_id(response_id("reply_5f")) == "reply_5f"
    assert response_id("reply_5f") == "resp_5f"


def test_an_error_tells_which_event_was_wrong() -> None:
    found = plain(writer().error(invalid("That is wrong.", "item_id", "some_code"), "mine"))
    assert found["error"] == {
        "type": "invalid_request_error",
        "code": "some_code",
        "message": "That is wrong.",
        "param": "item_id",
        "event_id": "mine",
    }


def test_a_transcription_session_is_told_as_one() -> None:
    session = TranscriptionSession(id="sess_1", audio=InputOnly.by("whisper-1"))
    numbers = count()
    found = told(heard(), Writer(session, lambda kind: f"{kind}_{next(numbers)}"))
    assert found.names()[:2] == ["session.created", "input_audio_buffer.speech_started"]
    assert found.of("conversation.item.input_audio_transcription.completed")


# -- the beta ----------------------------------------------------------------------------------------------------------


def beta(events: Iterable[SessionEvent]) -> list[dict[str, Any]]:
    by = writer(**HEARS)
    every = [*by.opening(), *[each for event in events for each in by.write(event)]]
    return [old for each in every if (old := to_beta(each)) is not None]


def test_the_beta_is_told_in_its_own_words() -> None:
    from openai.types.beta.realtime import RealtimeServerEvent
    from pydantic import TypeAdapter

    adapter: TypeAdapter[Any] = TypeAdapter(RealtimeServerEvent)
    events = beta([*heard(), *answered(SPOKEN, calls=1), *answered(Reply(id="reply_2", output="text"))])
    for event in events:
        adapter.validate_python(event)
    names = {event["type"] for event in events}
    assert names >= {
        "conversation.item.created",
        "response.audio.delta",
        "response.audio_transcript.done",
        "response.text.delta",
        "response.done",
    }
    assert not [name for name in names if "output_audio" in name or "output_text" in name]
    assert "conversation.item.done" not in names
    session = events[0]["session"]
    assert (session["input_audio_format"], session["modalities"]) == ("pcm16", ["text", "audio"])
    done = [event["response"] for event in events if event["type"] == "response.done"]
    assert done[0]["output"][0]["content"][0]["type"] == "audio"
    assert done[1]["output"][0]["content"][0]["type"] == "text"
    assert (done[1]["modalities"], done[0]["voice"]) == (["text"], None)


# -- anything ----------------------------------------------------------------------------------------------------------


@st.composite
def conversations(draw: st.DrawFn) -> list[SessionEvent]:
    """Turns and replies, some of them apart and then in the middle of others."""
    told_so_far: list[SessionEvent] = []
    for number in range(draw(st.integers(0, 4))):
        if draw(st.booleans()):
            told_so_far += heard(f"u{number}", draw(st.sampled_from(["Who are you?", "Who", "What?", ""])) or "Hm.")
        output: Any = draw(st.sampled_from(["audio", "text"]))
        reply = Reply(id=f"reply_{number}", output=output, apart=draw(st.booleans()))
        text = draw(st.text(max_size=12))
        cut = draw(st.none() | st.integers(0, len(text)).map(lambda size, text=text: text[:size]))  # type: ignore[misc]
        events = answered(reply, text, cut=cut, calls=draw(st.integers(0, 2)))
        if reply.apart:
            events = [event for event in events if not isinstance(event, ItemTruncated)]
            told_so_far = list(_mixed(draw, told_so_far, events))
        else:
            told_so_far += events
    return told_so_far


def _mixed(draw: st.DrawFn, one: list[SessionEvent], two: list[SessionEvent]) -> Iterator[SessionEvent]:
    one, two = list(one), list(two)
    while one or two:
        first = one if not two or (one and draw(st.booleans())) else two
        yield first.pop(0)


@given(conversations())
def test_whatever_happens_is_told_in_order(events: list[SessionEvent]) -> None:
    found = told(events)
    found.finish()
    started = [event for event in events if isinstance(event, ReplyStarted)]
    assert len(found.finished) == len(started)
    frames = sum(len(event.frame.samples) for event in events if isinstance(event, ReplyAudio))
    assert sum(map(len, found.sounds.values())) == 2 * frames
