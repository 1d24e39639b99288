"""Choices: how often the model's calls are right, by what it is told of calling.

    python -m examples.train.text.choices src/sauropod/assets/demo.gguf

Its own tools, and tools it has never seen: one of several is to be called, or two at once. `auto` lets it answer
instead, `required` does not, `named` says which tool; with `loose` nothing holds its calls to their schemas. `streamed`
is `auto` once more, the calls put together from the events of a stream.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import attrs
import jsonschema

from sauropod import (
    AskOptions,
    Completion,
    Engine,
    ToolCall,
    ToolCallClosed,
    ToolCallDelta,
    ToolCallDropped,
    ToolCallOpened,
    ToolChoice,
)

from . import cases, material
from .cases import OWN, Case
from .evaluate import AT_ONCE, messages_of, tools_of

TOPICS = ("one offered", "one of several", "two calls")
GREEDY: AskOptions = {"temperature": 0, "max_tokens": 256}

Ask = Callable[[Engine, Case], Awaitable[Sequence[ToolCall]]]


@dataclass(frozen=True)
class Rate:
    """Of the calls asked for in one way, how many were right, and how many valid."""

    kind: str
    topic: str
    way: str
    asked: int
    right: int
    called: int
    valid: int


async def auto(engine: Engine, case: Case) -> Sequence[ToolCall]:
    return (await _complete(engine, case, {})).tool_calls


async def required(engine: Engine, case: Case) -> Sequence[ToolCall]:
    return (await _complete(engine, case, {"tool_choice": "required"})).tool_calls


async def named(engine: Engine, case: Case) -> Sequence[ToolCall]:
    names = list(dict.fromkeys(call.name for call in case.calls or ()))
    return (await _complete(engine, case, {"tool_choice": ToolChoice("required", names)})).tool_calls


async def loose(engine: Engine, case: Case) -> Sequence[ToolCall]:
    tools = [attrs.evolve(tool, strict=False) for tool in tools_of(case.conversation)]
    return (await _complete(engine, case, {"tools": tools})).tool_calls


async def streamed(engine: Engine, case: Case) -> Sequence[ToolCall]:
    """Put together from names and pieces of arguments; a call that was cut off is none."""
    found: dict[int, tuple[str, str]] = {}
    asked: AskOptions = {**GREEDY, "tools": tools_of(case.conversation)}
    async with engine.stream(messages_of(case.conversation), **asked) as stream:
        async for event in stream:
            match event:
                case ToolCallOpened(call=call, name=name):
                    found[call] = (name, "")
                case ToolCallDelta(call=call, arguments=more):
                    found[call] = (found[call][0], found[call][1] + more)
                case ToolCallDropped(call=call):
                    del found[call]
                case ToolCallClosed(call=call, tool_call=whole):
                    assert (whole.name, dict(whole.arguments)) == (found[call][0], json.loads(found[call][1]))
    return [ToolCall(name, json.loads(arguments)) for name, arguments in found.values()]


WAYS: Mapping[str, Ask] = {
    "auto": auto,
    "required": required,
    "named": named,
    "streamed": streamed,
    "loose": loose,
}


async def _complete(engine: Engine, case: Case, options: AskOptions) -> Completion:
    asked: AskOptions = {**GREEDY, "tools": tools_of(case.conversation), **options}
    return await engine.complete(messages_of(case.conversation), **asked)


async def rates(engine: Engine, asked: Sequence[Case]) -> list[Rate]:
    """A rate for each kind, topic and way."""
    result = []
    for kind in dict.fromkeys(case.kind for case in asked):
        for topic in TOPICS:
            some = [case for case in asked if (case.kind, case.topic) == (kind, topic)]
            for way in WAYS:
                result.append(await _rate(engine, some, kind, topic, way))
    return result


async def _rate(engine: Engine, asked: Sequence[Case], kind: str, topic: str, way: str) -> Rate:
    answers: list[Sequence[ToolCall]] = [()] * len(asked)
    numbers = iter(range(len(asked)))

    async def keep_asking() -> None:
        for number in numbers:
            answers[number] = await WAYS[way](engine, asked[number])

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(keep_asking)
    right = [_said(calls) == _said(case.calls or ()) for case, calls in zip(asked, answers, strict=True)]
    valid = [_is_valid(case, call) for case, calls in zip(asked, answers, strict=True) for call in calls]
    return Rate(kind, topic, way, len(asked), sum(right), len(valid), sum(valid))


def _said(calls: Sequence[Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [(call.name, dict(call.arguments)) for call in calls]


def _is_valid(case: Case, call: ToolCall) -> bool:
    schemas = {tool.name: tool.parameters for tool in tools_of(case.conversation)}
    if call.name not in schemas:
        return False
    return bool(jsonschema.Draft202012Validator(schemas[call.name]).is_valid(dict(call.arguments)))


def table(found: Sequence[Rate]) -> str:
    """The rates as a Markdown table."""
    lines = [
        "| tools | to call | way | right | asked | | valid calls |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for rate in found:
        share = f"{rate.right / rate.asked:.1%}"
        lines.append(
            f"| {rate.kind} | {rate.topic} | {rate.way} | {rate.right} | {rate.asked} | {share} "
            f"| {rate.valid} of {rate.called} |"
        )
    return "\n".join(lines)


async def _measured(model: Path, count: int) -> list[Rate]:
    every = cases.tool_cases(material.unseen(), random.Random(1), count)
    asked = [case for case in every if case.kind in (OWN, "unseen tools") and case.topic in TOPICS]
    async with Engine(model, slots=16, context_length=1024) as engine:
        return await rates(engine, asked)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--count", type=int, default=60, help="requests of each kind and topic")
    given = parser.parse_args()
    print(table(anyio.run(_measured, given.model, given.count)))


if __name__ == "__main__":
    main()
