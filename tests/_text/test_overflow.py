"""Which turns are left out of a conversation that is too long."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from sauropod import Message, ToolCall
from sauropod._text.overflow import dropped_turns, turns, without_turns

CALL = ToolCall("clock", {}, "call_1")

turn = st.sampled_from(
    [
        (Message.user("What is it?"), Message.assistant("It is this.")),
        (Message.user("Time?"), Message.assistant(tool_calls=[CALL]), Message.tool("noon", call=CALL)),
        (
            Message.user("And now?"),
            Message.assistant(tool_calls=[CALL, CALL]),
            Message.tool("noon", call=CALL),
            Message.tool("one", call=CALL),
            Message.assistant("One."),
        ),
        (Message.user("Well " * 20),),
    ]
)


@st.composite
def conversations(draw: st.DrawFn) -> list[Message]:
    messages = [message for part in draw(st.lists(turn, min_size=1, max_size=8)) for message in part]
    if draw(st.booleans()):
        messages = [Message.assistant("Hello, I am Dino."), *messages]
    for _ in range(draw(st.integers(0, 2))):
        messages.insert(draw(st.integers(0, len(messages))), Message.system("Be kind."))
    return messages


def length(messages: Sequence[Message]) -> int:
    return 3 + sum(4 + len(message.content.split()) + 6 * len(message.tool_calls) for message in messages)


@given(conversations(), st.integers(1, 200), st.integers(1, 40))
def test_what_is_left_fits_and_begins_with_a_turn_and_has_all_the_system_says(
    messages: list[Message], room: int, step: int
) -> None:
    count = dropped_turns(messages, length, room, step)
    kept = without_turns(messages, count)
    assert [m for m in kept if m.role == "system"] == [m for m in messages if m.role == "system"]
    assert turns(kept) == turns(messages)[count:]
    assert turns(kept)[-1] == turns(messages)[-1]
    if length(messages) <= room:
        assert count == 0
    elif length(kept) > room:
        assert len(turns(kept)) == 1, "the last turn alone is too long"


@given(conversations(), st.integers(1, 200), st.integers(1, 40))
def test_no_more_is_left_out_than_a_step_asks_for(messages: list[Message], room: int, step: int) -> None:
    count = dropped_turns(messages, length, room, step)
    assume(count > 1)
    one_less = length(messages) - length(without_turns(messages, count - 1))
    assert one_less < -(-(length(messages) - room) // step) * step


def test_the_beginning_stays_where_it_is_for_a_while() -> None:
    """So that the cache of what was computed is of use: turn after turn, it moves only every few turns."""
    messages: list[Message] = []
    begins = []
    for number in range(40):
        messages += [Message.user(f"Question {number} of many"), Message.assistant("An answer of five words")]
        begins.append(dropped_turns(messages, length, 120, 40))
    moved = sum(before != after for before, after in pairwise(begins))
    assert begins[-1] > 20
    assert moved <= len(begins) / 2


@given(conversations())
def test_a_call_is_never_without_its_result(messages: list[Message]) -> None:
    for count in range(len(turns(messages))):
        kept = without_turns(messages, count)
        waiting = 0
        for message in kept:
            waiting += len(message.tool_calls)
            waiting -= message.role == "tool"
            assert waiting >= 0
