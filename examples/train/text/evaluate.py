"""Evaluate: how much of the documented list a model answers, table by table.

    python -m examples.train.text.evaluate src/sauropod/assets/demo.gguf --json build/text/report.json

`score` takes any `ask(messages, tools) -> str`, so that an Engine can be asked in place of llama.cpp.
The answer is the model's raw text, tool calls as the model writes them.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from .cases import Case, every_case
from .values import Json

Ask = Callable[[Sequence[Mapping[str, object]], Sequence[Mapping[str, Json]]], str]


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


def score(ask: Ask, cases: Iterable[Case]) -> list[Mark]:
    """Ask every case."""
    marks = []
    for case in cases:
        messages, tools = case.conversation.wire()
        answer = ask(messages, tools)
        asked = case.conversation.messages[-1].content
        marks.append(Mark(case.kind, case.topic, asked, case.expected, answer, case.right(answer)))
    return marks


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
    from .llama import Speaker

    cases = [case for case in every_case(count=given.count) if case.kind.startswith(given.only or "")]
    marks = score(Speaker(given.model).ask, cases)
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


if __name__ == "__main__":
    main()
