"""Replays and traces: sessions over the fakes are recorded and played again; what was changed in between is found."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sauropod import ReplyAudio, ReplyFinished, Session, TurnTaking, UnsupportedInput, UserStarted
from sauropod._session.replay import MOMENTS, Replay, Story
from sauropod._session.trace import trace
from sauropod._speech.turns import Act, Reply, Sign, Turns, User
from sauropod.testing import speech_of
from session.talking import RATE, conversation, said, silence, speak, until

LOT = "One two three. Four five six. Seven eight nine."
SAYS = {"Who are you?": "I am a fake.", "Tell me a lot.": LOT, "Stop it now.": "Well."}
SAYS |= {"How is it?": '<tool_call>{"name": "weather", "arguments": {"city": "Oslo"}}</tool_call>', "sun": "Sunny."}


def weather(city: str) -> str:
    return f"sun in {city}"


async def spoken(session: Session) -> None:
    await speak(session, said("Who are you?"))
    await until(session, ReplyFinished)


async def written(session: Session) -> None:
    await session.add("Who are you?")
    await session.respond(output="text")
    await until(session, ReplyFinished)


async def told_a_lot(session: Session) -> None:
    await speak(session, said("Tell me a lot."))
    await until(session, ReplyAudio, where=lambda event: event.frame.start > 24_000 * 0.3)


async def interrupted(session: Session) -> None:
    await told_a_lot(session)
    await speak(session, said("Stop it now."))
    for _ in range(2):
        await until(session, ReplyFinished)


async def false_alarm(session: Session) -> None:
    await told_a_lot(session)
    await speak(session, np.concatenate([np.full(round(0.14 * RATE), 0.09, np.float32), silence(0.6)]))
    await until(session, ReplyFinished)


async def cancelled(session: Session) -> None:
    await told_a_lot(session)
    await session.cancel()
    await until(session, ReplyFinished)


async def tools(session: Session) -> None:
    await speak(session, said("How is it?"))
    for _ in range(2):
        await until(session, ReplyFinished)


async def uninterruptible(session: Session) -> None:
    await session.update(turns=TurnTaking(interrupt=False))
    await told_a_lot(session)
    await speak(session, said("Stop it now."))
    for _ in range(2):
        await until(session, ReplyFinished)


async def by_hand(session: Session) -> None:
    await session.update(turns=None)
    await speak(session, said("Who are you?"))
    await session.clear()
    await speak(session, said("Who are you?"))
    await session.commit()
    await session.respond()
    await until(session, ReplyFinished)


async def left_in_the_middle(session: Session) -> None:
    await spoken(session)
    await speak(session, speech_of("Tell me a lot."))
    await until(session, UserStarted)


KINDS: Mapping[str, Callable[[Session], Coroutine[Any, Any, None]]] = {
    function.__name__: function for function in (spoken, written, interrupted, false_alarm, cancelled, tools)
} | {function.__name__: function for function in (uninterruptible, by_hand, left_in_the_middle)}


def recorded(kind: str, file: Path, backend: str = "asyncio") -> list[str]:
    """The lines of a session's recording."""

    async def hold() -> None:
        async with conversation(SAYS, ahead_seconds=0.02, tools=[weather], record=file) as session:
            await KINDS[kind](session)

    anyio.run(hold, backend=backend)
    return file.read_text().splitlines(keepends=True)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder = tmp_path_factory.mktemp("recordings")
    return {kind: recorded(kind, folder / f"{kind}.jsonl") for kind in KINDS}


# -- the turn table ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_is_played_again_without_a_difference(kind: str, recordings: dict[str, list[str]]) -> None:
    replay = Replay.of(recordings[kind])
    assert replay.difference is None
    assert replay.cut is None
    assert replay.signs == sum('"kind": "sign"' in line for line in recordings[kind]) > 0


def test_so_is_one_that_was_held_on_trio(tmp_path: Path) -> None:
    replay = Replay.of(recorded("interrupted", tmp_path / "session.jsonl", "trio"))
    assert replay.difference is None
    assert replay.signs > 5


def test_the_kinds_of_sessions_are_what_they_are_called(recordings: dict[str, list[str]]) -> None:
    signs = {kind: signs_of(lines) for kind, lines in recordings.items()}
    assert "confirmed" in signs["interrupted"]
    assert "confirmed" not in signs["false_alarm"]
    assert signs["false_alarm"].count("onset") == 2
    assert "cancelled" in signs["cancelled"]
    assert "asked" in signs["tools"]
    assert "cleared" in signs["by_hand"]
    assert any('"owed": true' in line for line in recordings["uninterruptible"])


def signs_of(lines: Sequence[str]) -> list[str]:
    return [fields["sign"] for line in lines[1:] if (fields := json.loads(line))["kind"] == "sign"]


def signed(lines: Sequence[str], where: int) -> int:
    """The index of one of the lines that tell signs."""
    places = [index for index, line in enumerate(lines) if '"kind": "sign"' in line]
    return places[where % len(places)]


def changed(lines: Sequence[str], index: int, **fields: Any) -> list[str]:
    return [*lines[:index], json.dumps({**json.loads(lines[index]), **fields}) + "\n", *lines[index + 1 :]]


CHANGES = st.one_of(
    st.tuples(st.just("user"), st.sampled_from(list(User))),
    st.tuples(st.just("reply"), st.sampled_from(list(Reply))),
    st.tuples(st.just("acts"), st.lists(st.sampled_from(list(Act)), max_size=3)),
    st.tuples(st.just("owed"), st.booleans()),
    st.tuples(st.sampled_from(["user", "reply"]), st.text(max_size=5)),
)


@given(st.sampled_from(list(KINDS)), st.integers(0, 99), CHANGES)
def test_what_is_changed_of_what_came_of_a_sign_is_found_at_its_line(
    recordings: dict[str, list[str]], kind: str, where: int, change: tuple[str, Any]
) -> None:
    lines, (name, value) = recordings[kind], change
    index = signed(lines, where)
    before = json.loads(lines[index])
    difference = Replay.of(changed(lines, index, **{name: value})).difference
    if before[name] == value:
        assert difference is None
    else:
        assert difference is not None
        assert (difference.line, difference.at) == (index + 1, before["at"])
        assert difference.recorded != difference.now


@given(st.sampled_from(list(KINDS)), st.integers(0, 99), st.sampled_from(list(Sign)))
def test_a_sign_that_is_changed_is_found_unless_the_same_comes_of_it(
    recordings: dict[str, list[str]], kind: str, where: int, sign: Sign
) -> None:
    lines = recordings[kind]
    index, turns = signed(lines, where), Turns()
    for line in lines[1:index]:
        if (fields := json.loads(line))["kind"] == "sign":
            turns.interruptible = fields["interruptible"]
            turns.take(Sign(fields["sign"]))
    recorded = json.loads(lines[index])
    turns.interruptible = recorded["interruptible"]
    same = turns.allows(sign) and (turns.take(sign), turns.user, turns.reply, turns.owed) == tuple(
        recorded[name] for name in ("acts", "user", "reply", "owed")
    )
    difference = Replay.of(changed(lines, index, sign=sign)).difference
    assert (None if difference is None else difference.line) == (None if same else index + 1)


def test_a_difference_says_what_was_and_what_is(recordings: dict[str, list[str]]) -> None:
    lines = recordings["spoken"]
    index = signed(lines, 0)
    replay = Replay.of(changed(lines, index, acts=["cut"], at=0.5)[: index + 1])
    assert replay.signs == 0
    assert str(replay.difference) == (
        f"Line {index + 1}, at 0.500 s, differs.\n"
        "  recorded  onset → cut; user talking, reply none\n"
        "  now       onset → hear; user talking, reply none"
    )


def test_a_sign_that_cannot_be_is_a_difference(recordings: dict[str, list[str]]) -> None:
    lines = recordings["spoken"]
    index = signed(lines, 0)
    for sign, now in (("resumed", "The user is quiet, so there can be no resumed."), ("snort", "There is no sign ")):
        difference = Replay.of(changed(lines, index, sign=sign)).difference
        assert difference is not None
        assert difference.line == index + 1
        assert difference.now.startswith(now)


@given(st.sampled_from(list(KINDS)), st.integers(1, 10**6))
def test_a_recording_that_is_cut_anywhere_is_played_up_to_there(
    recordings: dict[str, list[str]], kind: str, length: int
) -> None:
    text = "".join(recordings[kind])
    head = len(recordings[kind][0])
    part = text[: head + length % (len(text) - head)]
    replay = Replay.of(part.splitlines(keepends=True))
    assert replay.difference is None
    whole = part.endswith(("\n", "}"))
    try:
        json.loads(part.splitlines()[-1])
    except ValueError:
        whole = False
    assert replay.cut == (None if whole else len(part.splitlines()))
    check(trace(replay.lines))


# -- anything else ----------------------------------------------------------------------------------------------------

HEAD = b'{"sauropod": "session", "format": 1, "time": 0}\n'
WORDS = ["sign", "event", "in", "out", "onset", "quiet", "none", "a", "", "text", "completed"]
EVENTS = ["UserStarted", "UserStopped", "UserSaid", "UserHeard", "UserUnheard", "NothingHeard", "AudioCommitted"]
EVENTS += ["IdleTimedOut", "ItemAdded", "ItemDone", "ItemTruncated", "SessionUpdated", "ReplyStarted", "ReplyText"]
EVENTS += ["ReplyHeld", "ReplyResumed", "ReplyFinished", "ReplyCallDelta", "Anything"]
NAMES = ["id", "item_id", "reply_id", "text", "start", "end", "item", "reply", "role", "call", "call_id", "output"]
NAMES += ["name", "arguments", "status", "items", "timings", "speculated", "apart", "error", "stable", "tentative"]
NAMES += [*MOMENTS, "seconds"]
LEAVES = st.one_of(st.sampled_from(WORDS), st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3))
VALUES: st.SearchStrategy[Any] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)),
    max_leaves=6,
)

SOUND = {"rate": st.integers(1, 48_000), "start": st.integers(0, 9), "samples": st.integers(0, 10**5)}
ID = st.sampled_from("ab")
SAID = st.fixed_dictionaries({"id": ID, "role": st.sampled_from(["user", "assistant"]), "text": st.just("Hello.")})
CALL = st.fixed_dictionaries({"name": ID, "arguments": st.just({"a": [1]})})
ITEM = st.one_of(
    SAID,
    st.fixed_dictionaries({"id": ID, "call": CALL}),
    st.fixed_dictionaries({"id": ID, "call_id": ID, "output": ID}),
)
SECONDS = st.one_of(st.none(), st.floats(-1e4, 1e4))
REPLY = st.fixed_dictionaries(
    {
        "id": ID,
        "output": st.sampled_from(["audio", "text"]),
        "apart": st.booleans(),
        "status": st.sampled_from(["completed", "cancelled"]),
        "items": st.lists(SAID, max_size=2),
        "timings": st.fixed_dictionaries({"speculated": st.booleans(), **dict.fromkeys(MOMENTS, SECONDS)}),
    }
)
TEXT = st.sampled_from(["", "Hello.", "\ud800\x1b"])
TOLD = {"kind": st.just("event"), "item_id": ID, "text": TEXT, "error": TEXT, "stable": TEXT, "tentative": TEXT}
LIKELY = st.one_of(
    st.fixed_dictionaries({**TOLD, "event": st.sampled_from(EVENTS), "item": SAID, "reply": REPLY, "reply_id": ID}),
    st.fixed_dictionaries(
        {**TOLD, "event": st.sampled_from(["ItemAdded", "ItemDone"]), "item": ITEM}, optional={"reply_id": ID}
    ),
    st.fixed_dictionaries({"kind": st.sampled_from(["in", "out"]), "reply_id": ID, "item_id": ID, **SOUND}),
    st.fixed_dictionaries(
        {
            "kind": st.just("sign"),
            "sign": st.sampled_from(list(Sign)),
            "acts": st.just([]),
            "user": st.sampled_from(list(User)),
            "reply": st.sampled_from(list(Reply)),
            "interruptible": st.booleans(),
            "owed": st.booleans(),
        }
    ),
)


def refusal(lines: Sequence[bytes | str]) -> str | None:
    """What is said against them; None: they are drawn."""
    try:
        check(trace(Replay.of(lines).lines))
    except UnsupportedInput as error:
        return str(error)
    return None


@given(st.lists(st.binary()), st.booleans())
def test_random_bytes_are_refused_and_no_more(lines: list[bytes], headed: bool) -> None:
    said = refusal([HEAD, *lines] if headed else lines)
    if headed and len(lines) < 2 and not any(line.endswith(b"\n") for line in lines):
        assert said is None  # nothing, or a line that is cut short
    else:
        assert said is not None
        assert "Session(record=" in said


@settings(max_examples=50, deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from([*NAMES, "at", "kind", "event", "sign", "acts"]), VALUES), max_size=5))
def test_random_json_is_refused_and_no_more(lines: list[dict[str, Any]]) -> None:
    said = refusal([HEAD, *(json.dumps(line) + "\n" for line in lines)])
    assert said is None or said.startswith("Line ")


@given(st.sampled_from(EVENTS), st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8))
def test_an_event_with_anything_in_it_is_refused_or_drawn(event: str, fields: dict[str, Any]) -> None:
    said = refusal([HEAD, json.dumps({**fields, "at": 1, "kind": "event", "event": event}) + "\n"])
    assert said is None or said.startswith("Line 2 ")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(LIKELY, st.floats(0, 2)), max_size=20))
def test_whatever_happens_in_whatever_order_is_drawn(steps: list[tuple[dict[str, Any], float]]) -> None:
    at, lines = 0.0, []
    for fields, after in steps:
        at += after
        lines.append(json.dumps({"at": at, **fields}) + "\n")
    assert len(check(trace(Replay.of([HEAD, *lines]).lines))) >= sum(line["kind"] == "sign" for line, _ in steps)


# -- the trace --------------------------------------------------------------------------------------------------------


def check(made: dict[str, Any]) -> list[dict[str, Any]]:
    """It keeps the rules of the Trace Event Format; slices of a track do not overlap. The events but for the heads."""
    events = json.loads(json.dumps(made, allow_nan=False))["traceEvents"]
    heads = [event for event in events if event["ph"] == "M"]
    rest: list[dict[str, Any]] = events[len(heads) :]
    assert all(event["ph"] in ("X", "i") for event in rest)
    assert {event["tid"] for event in rest} == {event["tid"] for event in heads if event["name"] == "thread_name"}
    assert [event["ts"] for event in rest] == sorted(event["ts"] for event in rest)
    busy: dict[int, int] = {}
    for event in rest:
        assert isinstance(event["name"], str)
        assert isinstance(event["ts"], int)
        assert event["ts"] >= 0
        if event["ph"] == "i":
            assert event["s"] == "t"
            continue
        assert event["dur"] >= 0
        assert event["ts"] >= busy.get(event["tid"], 0)
        busy[event["tid"]] = event["ts"] + event["dur"]
    return rest


def slices(lines: list[str], track: str) -> list[dict[str, Any]]:
    return [event for event in check(trace(Replay.of(lines).lines)) if (event["ph"], event["cat"]) == ("X", track)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_has_who_spoke_when(kind: str, recordings: dict[str, list[str]]) -> None:
    replay = Replay.of(recordings[kind])
    story, events = Story.of(replay.lines), check(trace(replay.lines))
    replies = [event for event in events if (event["ph"], event["cat"]) == ("X", "reply")]
    assert [event["args"]["id"] for event in replies] == list(story.answers)
    users = [event["args"]["id"] for event in events if (event["ph"], event["cat"]) == ("X", "user")]
    assert users == list(story.turns)
    assert [event["name"] for event in events if event["cat"] == "signs"] == signs_of(recordings[kind])
    frames = sum(event["args"]["frames"] for event in events if event["cat"] == "user's audio")
    assert frames == sum('"kind": "in"' in line for line in recordings[kind])


def test_a_reply_has_its_moments_where_they_were(recordings: dict[str, list[str]]) -> None:
    events = check(trace(Replay.of(recordings["spoken"]).lines))
    moments = {event["name"]: event["ts"] for event in events if (event["ph"], event["cat"]) == ("i", "reply")}
    assert set(moments) == {name.replace("_", " ") for name in MOMENTS}
    over = next(event["ts"] for event in events if event["name"] == "over")
    spoke = next(event["ts"] for event in events if event["name"] == "spoke")
    assert moments["endpoint"] == pytest.approx(over, abs=5_000)
    assert moments["first audio"] == pytest.approx(spoke, abs=5_000)
    (until_heard,) = slices(recordings["spoken"], "voice to voice")
    assert until_heard["ts"] + until_heard["dur"] == pytest.approx(moments["first audio"], abs=1)


def test_what_was_held_is_drawn_from_when_to_when(recordings: dict[str, list[str]]) -> None:
    def at(name: str, kind: str) -> int:
        told = [json.loads(line) for line in recordings[kind][1:]]
        at: float = next(line["at"] for line in told if line.get("event") == name)
        return round(at * 1e6)

    for kind, end in (("false_alarm", "ReplyResumed"), ("interrupted", "ReplyFinished")):
        (held,) = slices(recordings[kind], "reply held")
        assert (held["ts"], held["ts"] + held["dur"]) == (at("ReplyHeld", kind), at(end, kind))


def test_audio_is_merged_and_none_of_it_is_lost(recordings: dict[str, list[str]]) -> None:
    lines = recordings["interrupted"]
    told = [json.loads(line) for line in lines[1:]]
    for kind, track in (("in", "user's audio"), ("out", "reply's audio")):
        drawn = slices(lines, track)
        frames = [line for line in told if line["kind"] == kind]
        assert sum(event["args"]["frames"] for event in drawn) == len(frames)
        seconds = sum(line["samples"] / line["rate"] for line in frames)
        assert sum(event["args"]["seconds"] for event in drawn) == pytest.approx(seconds)
        assert len(drawn) < len(frames) / 3


def test_a_reply_that_was_cut_has_what_was_heard_of_it(recordings: dict[str, list[str]]) -> None:
    story = Story.of(Replay.of(recordings["interrupted"]).lines)
    cut, after = story.answers.values()
    assert (cut.status, cut.reason, cut.written) == ("cancelled", "interrupted", LOT)
    assert cut.text
    assert LOT.startswith(cut.text)
    assert cut.text != LOT
    assert (after.status, after.text) == ("completed", "Well.")
    assert [turn.text for turn in story.turns.values()] == ["Tell me a lot.", "Stop it now."]


def test_a_call_lasts_until_its_result(recordings: dict[str, list[str]]) -> None:
    (call,) = Story.of(Replay.of(recordings["tools"]).lines).calls.values()
    assert (call.name, dict(call.arguments), call.output) == ("weather", {"city": "Oslo"}, "sun in Oslo")
    assert call.ended is not None
    assert call.began <= call.ended


def test_what_was_not_over_is_drawn_to_the_end(recordings: dict[str, list[str]]) -> None:
    lines = recordings["left_in_the_middle"]
    end = round(json.loads(lines[-1])["at"] * 1e6)
    story = Story.of(Replay.of(lines).lines)
    assert [turn.ended is None for turn in story.turns.values()] == [False, True]
    last = slices(lines, "user")[-1]
    assert last["ts"] + last["dur"] == end


def test_replies_beside_each_other_have_lanes_of_their_own() -> None:
    told = [("ReplyStarted", 1, "a"), ("ReplyStarted", 2, "b"), ("ReplyFinished", 3, "a"), ("ReplyFinished", 4, "b")]
    about = {"output": "text", "apart": False, "status": "completed", "items": [], "timings": {"speculated": False}}
    lines = [{"at": at, "kind": "event", "event": event, "reply": {"id": id, **about}} for event, at, id in told]
    first, second = slices([HEAD.decode(), *(json.dumps(line) + "\n" for line in lines)], "reply")
    assert [(each["ts"], each["dur"]) for each in (first, second)] == [(1_000_000, 2_000_000), (2_000_000, 2_000_000)]
    assert first["tid"] != second["tid"]


@given(st.floats(-1e4, 1e4), st.booleans())
def test_times_that_cannot_be_are_drawn_without_a_negative_length(first_audio: float, speculated: bool) -> None:
    timings = {"first_audio": first_audio, "speculated": speculated}
    about = {"id": "a", "output": "audio", "apart": False, "status": "completed", "items": [], "timings": timings}
    lines = [{"at": 1, "kind": "event", "event": event, "reply": about} for event in ("ReplyStarted", "ReplyFinished")]
    (drawn,) = slices([HEAD.decode(), *(json.dumps(line) + "\n" for line in lines)], "voice to voice")
    assert drawn["ts"] == 1_000_000
    assert drawn["dur"] == pytest.approx(max(0.0, first_audio * 1e6), abs=1)
