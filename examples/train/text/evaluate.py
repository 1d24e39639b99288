"""Evaluate: how much of the documented list a model answers, table by table.

    python -m examples.train.text.evaluate src/sauropod/assets/demo.gguf --json build/text/report.json

It is asked greedily through an `Engine`, many questions at once. An answer is the model's text, and after it its tool
calls, as it writes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import anyio

from sauropod import Engine, Message, Tool, ToolCall

from .cases import Case, every_case
from .messages import Conversation

Ask = Callable[[Conversation], Awaitable[str]]
AT_ONCE = 64


@dataclass(frozen=True)
class Mark:
    """One case answered."""

    kind: str
    topic: str
    asked: str
    expected: str
    answer: str
    right: bool


@dataclass(frozen=True)
class Tally:
    """Right answers of a topic."""

    kind: str
    topic: str
    right: int
    asked: int


async def score(ask: Ask, cases: Sequence[Case]) -> list[Mark]:
    """Ask every case, some at once; the marks are in the cases' order."""
    answers = [""] * len(cases)
    numbers = iter(range(len(cases)))

    async def keep_asking() -> None:
        for number in numbers:
            answers[number] = await ask(cases[number].conversation)

    async with anyio.create_task_group() as group:
        for _ in range(AT_ONCE):
            group.start_soon(keep_asking)
    return [
        Mark(
            case.kind,
            case.topic,
            case.conversation.messages[-1].content,
            case.expected,
            answer,
            case.right(answer),
        )
        for case, answer in zip(cases, answers, strict=True)
    ]


def asking(engine: Engine) -> Ask:
    """Ask `engine`, greedily."""

    async def ask(conversation: Conversation) -> str:
        completion = await engine.complete(
            messages_of(conversation), tools=tools_of(conversation), temperature=0, max_tokens=256
        )
        return "\n".join([completion.text, *map(_written, completion.tool_calls)]).strip()

    return ask


def _written(call: ToolCall) -> str:
    content = json.dumps({"name": call.name, "arguments": dict(call.arguments)}, ensure_ascii=False)
    return f"<tool_call>\n{content}\n</tool_call>"


def messages_of(conversation: Conversation) -> list[Message]:
    """The messages, as an engine takes them."""
    return [
        Message(each.role, each.content, tool_calls=[ToolCall(call.name, call.arguments) for call in each.calls])
        for each in conversation.messages
    ]


def tools_of(conversation: Conversation) -> list[Tool]:
    """The tools offered, as an engine takes them."""
    functions: list[Mapping[str, Any]] = [dict[str, Any](each)["function"] for each in conversation.tools]
    return [Tool(each["name"], each.get("description", ""), each["parameters"]) for each in functions]


def tallies(marks: Iterable[Mark]) -> list[Tally]:
    """One tally a topic, after each kind's total; in the order they were asked."""
    counts: dict[tuple[str, str], list[bool]] = {}
    for mark in marks:
        counts.setdefault((mark.kind, ""), []).append(mark.right)
        counts.setdefault((mark.kind, mark.topic), []).append(mark.right)
    kinds = list(dict.fromkeys(kind for kind, _ in counts))
    ordered = sorted(counts, key=lambda key: kinds.index(key[0]))
    return [Tally(kind, topic, sum(counts[kind, topic]), len(counts[kind, topic])) for kind, topic in ordered]


def table(results: Iterable[Tally]) -> str:
    """The tallies as a Markdown table."""
    lines = ["| kind | topic | right | asked | |", "| --- | --- | ---: | ---: | ---: |"]
    for each in results:
        topic = each.topic or "**all**"
        lines.append(f"| {each.kind} | {topic} | {each.right} | {each.asked} | {each.right / each.asked:.1%} |")
    return "\n".join(lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--json", type=Path, help="write every answer here")
    parser.add_argument("--count", type=int, default=60, help="conversations drawn of each topic")
    parser.add_argument("--only", help="only kinds that begin so")
    parser.add_argument("--wrong", action="store_true", help="print the wrong answers")
    given = parser.parse_args()
    cases = [case for case in every_case(count=given.count) if case.kind.startswith(given.only or "")]
    marks = anyio.run(_asked, given.model, cases)
    print(table(tallies(marks)))
    for mark in marks if given.wrong else ():
        if not mark.right:
            print(
                f"\n{mark.kind} / {mark.topic}\n  asked    {mark.asked!r}\n"
                f"  expected {mark.expected}\n  answer   {mark.answer!r}"
            )
    if given.json:
        report = {"tallies": [asdict(each) for each in tallies(marks)], "marks": [asdict(each) for each in marks]}
        given.json.write_text(json.dumps(report, ensure_ascii=False, indent=1), "utf-8")


async def _asked(model: Path, cases: Sequence[Case]) -> list[Mark]:
    async with Engine(model, slots=16, context_length=1024) as engine:
        return await score(asking(engine), cases)


if __name__ == "__main__":
    main()
