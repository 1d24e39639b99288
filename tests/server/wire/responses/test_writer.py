"""Whatever a model does, a response's events come in their order and add up to the response."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import attrs
import msgspec
from hypothesis import given
from hypothesis import strategies as st

import sauropod
from sauropod import Choice, Completion, Finished, StopReason, StreamEvent, Timings, TokenLogprob, ToolCall, Usage
from sauropod.server.problems import Problem
from sauropod.server.wire.responses.replay import recovered, replayed
from sauropod.server.wire.responses.request import CreateResponse
from sauropod.server.wire.responses.response import began
from sauropod.server.wire.responses.tools import Toolbox
from sauropod.server.wire.responses.writer import ResponseWriter
from server.checking import check_events

NOW = 1_700_000_000

TOOLS: list[dict[str, Any]] = [
    {"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}, "strict": True},
    {"type": "custom", "name": "shell"},
    {"type": "namespace", "name": "crm", "tools": [{"type": "function", "name": "find"}]},
]


def ids() -> Callable[[str], str]:
    counter = itertools.count()
    return lambda kind: f"{kind}_{next(counter)}"


def writer(**options: Any) -> ResponseWriter:
    asked = CreateResponse(model="fake", input="Hello", tools=TOOLS)
    response = began(asked, id="resp_1", model="fake", created_at=NOW)
    return ResponseWriter(response, Toolbox.of(TOOLS), ids(), **options)


def finished(reason: StopReason = StopReason.EOS) -> Finished:
    usage = Usage(prompt_tokens=7, cached_tokens=3, completion_tokens=5, reasoning_tokens=2)
    return Finished(Completion([Choice("", reason, ())], usage, Timings(0.0, 0.0, 0.0)))


texts = st.text(min_size=1, max_size=8)
logprob = st.builds(TokenLogprob, st.integers(0, 9), st.binary(max_size=3), st.floats(-9, 0))
said = st.builds(sauropod.TextDelta, texts, logprobs=st.lists(logprob, max_size=2)).map(lambda each: [each])
thought = st.builds(sauropod.ReasoningDelta, texts).map(lambda each: [each])


@st.composite
def calls(draw: st.DrawFn) -> list[StreamEvent]:
    """A call, told in pieces; or one that turned out to be text."""
    name = draw(st.sampled_from(["weather", "shell", "find", "unknown"]))
    arguments = {"input": draw(texts)} if name == "shell" else draw(st.dictionaries(texts, st.integers(), max_size=2))
    written = json.dumps(arguments)
    cuts = sorted(draw(st.sets(st.integers(0, len(written)), max_size=3)) | {0, len(written)})
    pieces = [sauropod.ToolCallDelta(0, written[a:b]) for a, b in itertools.pairwise(cuts)]
    opened = sauropod.ToolCallOpened(0, f"call_{draw(st.integers())}", name)
    if draw(st.booleans()):
        return [opened, *pieces, sauropod.ToolCallClosed(0, ToolCall(name, arguments, opened.id))]
    return [opened, *pieces[:1], sauropod.ToolCallDropped(0, "not JSON"), sauropod.TextDelta(written)]


runs = st.lists(st.one_of(said, thought, calls()), max_size=8)


CALLS = (sauropod.ToolCallOpened, sauropod.ToolCallDelta, sauropod.ToolCallClosed, sauropod.ToolCallDropped)


def numbered(run: list[list[StreamEvent]]) -> list[StreamEvent]:
    """The calls of a run counted from 0."""
    found: list[StreamEvent] = []
    for at, events in enumerate(run):
        found += [attrs.evolve(each, call=at) if isinstance(each, CALLS) else each for each in events]
    return found


def told(writing: ResponseWriter, events: list[StreamEvent]) -> list[dict[str, Any]]:
    found = list(map(msgspec.to_builtins, writing.begin()))
    for event in events:
        found += map(msgspec.to_builtins, writing.take(event, NOW))
    return found


reasons = st.sampled_from([StopReason.EOS, StopReason.STOP, StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH])
options = st.fixed_dictionaries({"live_calls": st.booleans(), "logprobs": st.booleans(), "encrypted": st.booleans()})


@given(runs, reasons, options)
def test_events_come_in_order_and_add_up(
    run: list[list[StreamEvent]], reason: StopReason, options: dict[str, bool]
) -> None:
    final = check_events(told(writer(**options), [*numbered(run), finished(reason)]))
    early = reason in (StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH)
    assert final["status"] == ("incomplete" if early else "completed")
    assert final["usage"]["input_tokens_details"]["cached_tokens"] == 3
    assert final["usage"]["output_tokens_details"]["reasoning_tokens"] == 2


@given(runs, options)
def test_what_is_said_is_what_the_model_said(run: list[list[StreamEvent]], options: dict[str, bool]) -> None:
    final = check_events(told(writer(**options), [*numbered(run), finished()]))
    text = "".join(part["text"] for item in final["output"] if item["type"] == "message" for part in item["content"])
    assert text == "".join(each.text for events in run for each in events if isinstance(each, sauropod.TextDelta))


@given(runs, options, st.data())
def test_a_response_that_fails_anywhere_tells_what_there_was_of_it(
    run: list[list[StreamEvent]], options: dict[str, bool], data: st.DataObject
) -> None:
    events = numbered(run)
    events = events[: data.draw(st.integers(0, len(events)))]
    writing = writer(**options)
    found = told(writing, events)
    found += map(msgspec.to_builtins, writing.fail(Problem(503, "gone", "server_error"), NOW))
    final = check_events(found)
    assert final["status"] == "failed"
    assert final["error"] == {"code": "server_error", "message": "gone"}


@given(runs, options, st.data())
def test_a_response_that_breaks_off_anywhere_is_recovered_from_its_log(
    run: list[list[StreamEvent]], options: dict[str, bool], data: st.DataObject
) -> None:
    writing = writer(**options)
    begun = writing.response
    log = [msgspec.json.encode(event) for event in writing.begin()]
    events = numbered(run)
    for event in events[: data.draw(st.integers(0, len(events)))]:
        log += [msgspec.json.encode(each) for each in writing.take(event, NOW)]
    response, ending = recovered(begun, log)
    final = check_events([msgspec.json.decode(each) for each in log] + [msgspec.to_builtins(each) for each in ending])
    assert final["status"] == "incomplete"
    assert final == msgspec.to_builtins(response)


@given(runs, reasons, options)
def test_a_response_that_is_there_can_be_told_again(
    run: list[list[StreamEvent]], reason: StopReason, options: dict[str, bool]
) -> None:
    writing = writer(**options)
    final = check_events(told(writing, [*numbered(run), finished(reason)]))
    assert check_events([msgspec.to_builtins(each) for each in replayed(writing.response)]) == final


def test_a_model_that_says_nothing_gives_an_empty_message() -> None:
    final = check_events(told(writer(), [finished()]))
    assert [part["text"] for part in final["output"][0]["content"]] == [""]


def test_calls_are_told_as_the_client_knows_its_tools() -> None:
    events: list[StreamEvent] = [
        sauropod.ToolCallOpened(0, "call_1", "find"),
        sauropod.ToolCallDelta(0, "{}"),
        sauropod.ToolCallClosed(0, ToolCall("find", {}, "call_1")),
        sauropod.ToolCallOpened(1, "call_2", "shell"),
        sauropod.ToolCallDelta(1, '{"input": "ls"}'),
        sauropod.ToolCallClosed(1, ToolCall("shell", {"input": "ls"}, "call_2")),
        finished(),
    ]
    first, second = check_events(told(writer(live_calls=True), events))["output"]
    assert (first["type"], first["name"], first["namespace"], first["arguments"]) == (
        "function_call",
        "find",
        "crm",
        "{}",
    )
    assert (second["type"], second["name"], second["input"]) == ("custom_tool_call", "shell", "ls")
