"""ChatWriter: what the SDK puts together of the chunks is the completion, whatever the model does."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from sauropod import (
    Choice,
    Completion,
    Finished,
    ReasoningDelta,
    StopReason,
    StreamEvent,
    TextDelta,
    Timings,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
    Usage,
)
from sauropod.server.problems import Problem
from sauropod.server.wire.chat.objects import ChatChunk
from sauropod.server.wire.chat.tools import Toolbox
from sauropod.server.wire.chat.writer import ChatWriter
from sauropod.server.wire.decoding import encoded
from server.sdk import plain, put_together, strict

TIMINGS = Timings(0, 0, 0)
FUNCTIONS = Toolbox([Tool("clock"), Tool("search")])
LEGACY = attrs.evolve(FUNCTIONS, legacy=True)
CUSTOM = Toolbox([Tool("shell")], customs=frozenset({"shell"}))
ENDS = [StopReason.EOS, StopReason.STOP, StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH]
CUT = ENDS[1:]


def writer(toolbox: Toolbox = FUNCTIONS, n: int = 1, live: bool = True, usage: bool = False) -> ChatWriter:
    return ChatWriter("chatcmpl_1", 5, "small", toolbox, n, live, usage)


def finished(*choices: Choice) -> Finished:
    return Finished(Completion(choices, Usage(10, 4, 6, 2), TIMINGS))


def choice(reason: StopReason = StopReason.EOS) -> Choice:
    """What a writer looks at is the reason only: it has seen the rest."""
    return Choice("", reason, ())


def written(writer: ChatWriter, *events: StreamEvent) -> list[ChatChunk]:
    return [chunk for event in events for chunk in writer.take(event)]


def call_of(place: int, name: str, arguments: dict[str, Any], index: int = 0, pieces: int = 2) -> list[StreamEvent]:
    text = json.dumps(arguments)
    cuts = [len(text) * at // pieces for at in range(pieces + 1)]
    parts = [text[begin:end] for begin, end in pairwise(cuts)]
    call = ToolCall(name, arguments, f"call{place}")
    return [
        ToolCallOpened(place, f"call{place}", name, index),
        *[ToolCallDelta(place, part, index) for part in parts],
        ToolCallClosed(place, call, index),
    ]


# -- what a model may do -------------------------------------------------------------------------------------------

PIECES = st.text(max_size=6)
ARGUMENTS = st.dictionaries(st.sampled_from(["city", "when", "input"]), st.text(max_size=4), max_size=2)


@st.composite
def logprobs(draw: st.DrawFn) -> tuple[TokenLogprob, ...]:
    one = st.builds(
        TokenLogprob, st.integers(0, 300), st.binary(max_size=3), st.floats(-1e5, 0) | st.just(float("-inf"))
    )
    whole = st.builds(lambda token, top: attrs.evolve(token, alternatives=tuple(top)), one, st.lists(one, max_size=2))
    return tuple(draw(st.lists(whole, max_size=2)))


@st.composite
def answers(draw: st.DrawFn, index: int, names: list[str]) -> tuple[list[StreamEvent], Choice]:
    """The events of one answer, as an engine gives them, and how it ends."""
    events: list[StreamEvent] = []
    calls = 0
    for kind in draw(st.lists(st.sampled_from(["text", "thought", "call", "dropped"]), max_size=4)):
        if kind == "text":
            events.append(TextDelta(draw(PIECES), index, draw(logprobs())))
        elif kind == "thought":
            events.append(ReasoningDelta(draw(PIECES), index))
        else:
            made = call_of(calls, draw(st.sampled_from(names)), draw(ARGUMENTS), index, draw(st.integers(1, 3)))
            calls += 1
            if kind == "dropped":
                made[draw(st.integers(1, len(made) - 1)) :] = [
                    ToolCallDropped(calls - 1, "It is none.", index),
                    TextDelta("<call>", index, draw(logprobs())),
                ]
            events += made
    return events, choice(draw(st.sampled_from(ENDS)))


@st.composite
def requests(draw: st.DrawFn) -> tuple[Toolbox, int, list[StreamEvent]]:
    toolbox, names = draw(st.sampled_from([(FUNCTIONS, ["clock", "search"]), (LEGACY, ["clock"]), (CUSTOM, ["shell"])]))
    found = [draw(answers(index, names)) for index in range(draw(st.integers(1, 2)))]
    queues = [list(events) for events, _ in found]
    events: list[StreamEvent] = []
    while waiting := [queue for queue in queues if queue]:
        events.append(draw(st.sampled_from(waiting)).pop(0))
    return toolbox, len(found), [*events, finished(*[end for _, end in found])]


def taken(toolbox: Toolbox, n: int, live: bool, events: list[StreamEvent]) -> tuple[list[ChatChunk], ChatWriter] | None:
    """None where the model took back what was told of it."""
    told = writer(toolbox, n, live, usage=True)
    try:
        return written(told, *events), told
    except Problem:
        assert live
        assert any(isinstance(event, ToolCallDropped) for event in events)
        return None


@settings(max_examples=40)
@given(requests(), st.booleans())
def test_what_the_sdk_puts_together_of_the_chunks_is_the_completion(
    asked: tuple[Toolbox, int, list[StreamEvent]], live: bool
) -> None:
    toolbox, n, events = asked
    found = taken(toolbox, n, live, events)
    if found is None:
        return
    chunks, told = found
    check = _loose if toolbox is CUSTOM else strict
    whole = strict(ChatCompletion, told.whole())
    assert put_together([check(ChatCompletionChunk, chunk) for chunk in chunks]) == plain(whole)


def _loose(kind: type[ChatCompletionChunk], chunk: ChatChunk) -> ChatCompletionChunk:
    """The SDK's chunks know no custom tools, though its completions do; it takes them in all the same."""
    return kind.construct(None, **json.loads(encoded(chunk)))


@settings(max_examples=40)
@given(requests())
def test_calls_that_are_told_once_whole_are_whole(asked: tuple[Toolbox, int, list[StreamEvent]]) -> None:
    toolbox, n, events = asked
    found = taken(toolbox, n, False, events)
    assert found is not None
    for index, answer in enumerate(strict(ChatCompletion, found[1].whole()).choices):
        closed = [event for event in events if isinstance(event, ToolCallClosed) and event.index == index]
        calls = answer.message.tool_calls or []
        if toolbox is FUNCTIONS:
            assert [json.loads(call.function.arguments) for call in calls if call.type == "function"] == [
                c.tool_call.arguments for c in closed
            ]
        text = "".join(event.text for event in events if isinstance(event, TextDelta) and event.index == index)
        assert (answer.message.content or "") == text


@settings(max_examples=40)
@given(requests(), st.booleans())
def test_every_choice_begins_with_its_role_and_ends_with_its_reason(
    asked: tuple[Toolbox, int, list[StreamEvent]], live: bool
) -> None:
    toolbox, n, events = asked
    found = taken(toolbox, n, live, events)
    if found is None:
        return
    *chunks, last = found[0]
    assert (last.choices, last.usage is not None) == ([], True)
    assert all(chunk.usage is None and len(chunk.choices) == 1 for chunk in chunks)
    assert [chunk.choices[0].index for chunk in chunks[:n]] == list(range(n))
    for index in range(n):
        own = [chunk.choices[0] for chunk in chunks if chunk.choices[0].index == index]
        assert [each.delta.role == "assistant" for each in own] == [True, *[False] * (len(own) - 1)]
        assert [each.finish_reason is not None for each in own] == [*[False] * (len(own) - 1), True]


# -- examples ------------------------------------------------------------------------------------------------------


def test_text_is_told_as_it_comes() -> None:
    chunks = written(writer(), TextDelta("Hel"), TextDelta("lo"), finished(choice()))
    assert [chunk.choices[0].delta.content for chunk in chunks[1:3]] == ["Hel", "lo"]
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert b"usage" not in encoded(chunks[0])


def test_a_call_is_told_with_its_name_first_and_its_arguments_as_they_come() -> None:
    chunks = written(writer(), *call_of(0, "clock", {"city": "Bonn"}), finished(choice()))
    deltas = [json.loads(encoded(chunk.choices[0].delta)) for chunk in chunks]
    assert deltas == [
        {"role": "assistant"},
        {
            "tool_calls": [
                {"index": 0, "id": "call_call0", "type": "function", "function": {"name": "clock", "arguments": ""}}
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ' "Bonn"}'}}]},
        {},
    ]
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_a_call_that_is_not_certain_is_told_once_it_is_whole() -> None:
    told = writer(live=False)
    chunks = written(told, *call_of(0, "clock", {"city": "Bonn"}), finished(choice()))
    assert len(chunks) == 3
    (call,) = strict(ChatCompletionChunk, chunks[1]).choices[0].delta.tool_calls or []
    assert call.function is not None
    assert call.function.arguments == '{"city": "Bonn"}'


def test_a_call_that_turns_out_to_be_none_is_text_if_it_was_not_told() -> None:
    told = writer(live=False)
    opened, part, *_ = call_of(0, "clock", {"city": "Bonn"})
    raw = TextDelta('<tool_call>{"city"')
    written(told, opened, part, ToolCallDropped(0, "It is none."), raw, *call_of(1, "search", {}), finished(choice()))
    message = strict(ChatCompletion, told.whole()).choices[0].message
    assert message.content == raw.text
    assert [call.function.name for call in message.tool_calls or [] if call.type == "function"] == ["search"]


@pytest.mark.parametrize("reason", CUT)
def test_an_answer_cut_off_in_a_call_that_was_told_ends_with_its_beginning(reason: StopReason) -> None:
    told = writer()
    opened, part, *_ = call_of(0, "clock", {"city": "Bonn"})
    raw = TextDelta('<tool_call>{"city"', logprobs=(TokenLogprob(1, b"{", -1.0),))
    written(told, opened, part, ToolCallDropped(0, "It is cut off."), raw, finished(choice(reason)))
    answer = strict(ChatCompletion, told.whole()).choices[0]
    assert answer.finish_reason == ("stop" if reason is StopReason.STOP else "length")
    assert answer.message.content is None
    calls = answer.message.tool_calls or []
    assert [call.function.arguments for call in calls if call.type == "function"] == ['{"city":']
    assert answer.logprobs is not None


def test_a_call_that_was_told_and_is_none_is_an_error() -> None:
    told = writer()
    opened, part, *_ = call_of(0, "clock", {"city": "Bonn"})
    written(told, opened, part, ToolCallDropped(0, "It is none."), TextDelta("<tool_call>"))
    with pytest.raises(Problem, match="It is none") as refused:
        told.take(finished(choice()))
    assert refused.value.status == 500


def test_calls_of_functions_are_told_in_the_old_way_where_they_were_given_so() -> None:
    told = writer(LEGACY)
    written(told, *call_of(0, "clock", {"city": "Bonn"}), finished(choice()))
    answer = strict(ChatCompletion, told.whole()).choices[0]
    assert answer.finish_reason == "function_call"
    assert answer.message.function_call is not None
    assert answer.message.function_call.arguments == '{"city": "Bonn"}'


def test_a_custom_tool_is_given_its_text() -> None:
    told = writer(CUSTOM)
    written(told, *call_of(0, "shell", {"input": "ls -l"}), finished(choice()))
    (call,) = strict(ChatCompletion, told.whole()).choices[0].message.tool_calls or []
    assert call.type == "custom"
    assert (call.custom.name, call.custom.input) == ("shell", "ls -l")


def test_usage_is_told_with_its_details() -> None:
    told = writer(usage=True)
    *_, last = written(told, TextDelta("Hello"), finished(choice()))
    usage = strict(ChatCompletionChunk, last).usage
    assert usage is not None
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (10, 6, 16)
    assert usage.prompt_tokens_details is not None
    assert usage.completion_tokens_details is not None
    assert usage.prompt_tokens_details.cached_tokens == 4
    assert usage.completion_tokens_details.reasoning_tokens == 2


def test_an_answer_of_nothing_is_an_empty_text() -> None:
    told: Callable[[], ChatWriter] = writer
    one = told()
    written(one, finished(choice()))
    assert one.whole().choices[0].message.content == ""
