"""Report: the generated part of the model's page, from the question files and a measurement.

python -m examples.train.text.report --report build/text/report.json --page docs/demo-model.md
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from . import tools
from .evaluate import Tally
from .questions import Question, load, titles

BEGIN, END = "<!-- {name}: generated, do not edit -->", "<!-- {name}: end -->"


def listing(questions: Iterable[Question], headings: Mapping[str, str]) -> str:
    """The documented list: a heading a topic, one line a family, one line a single question."""
    lines: list[str] = []
    for topic, group in groupby(questions, key=lambda question: question.topic):
        members = list(group)
        lines += [f"### {headings[topic]}", ""]
        for family, rows in groupby(members, key=lambda question: question.family):
            lines += _lines(list(rows), alike=bool(family))
        lines.append("")
    return "\n".join(lines).rstrip()


def _single(question: Question) -> str:
    return f"- {question.name} → {question.answer}"


def _lines(rows: list[Question], *, alike: bool) -> list[str]:
    if not alike:
        return [_single(each) for each in rows]
    first = rows[0]
    line = _single(first)
    if first.topic == "arithmetic":
        return [f"{line} ({len(rows)} of this kind)"]
    return [f"{line} Also: {', '.join(each.subject for each in rows[1:])}."]


def definitions() -> str:
    """The model's own tools, as its training and its measuring define them."""
    lines = ["```json"]
    for shape in tools.load("own"):
        if not shape.like:
            lines.append(json.dumps(tools.listed(shape).schema["function"]))
    return "\n".join([*lines, "```"])


def table(report: Mapping[str, Any]) -> str:
    """What was measured: a line a kind, then its topics."""
    lines = ["| | right | asked | |", "| --- | ---: | ---: | ---: |"]
    for each in (Tally(**entry) for entry in report["tallies"]):
        name = f"&nbsp;&nbsp;{each.topic}" if each.topic else f"**{each.kind}**"
        lines.append(f"| {name} | {each.right} | {each.asked} | {each.right / each.asked:.1%} |")
    return "\n".join(lines)


def placed(page: str, name: str, text: str) -> str:
    """`page` with `text` between the marks of `name`."""
    begin, end = BEGIN.format(name=name), END.format(name=name)
    pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    if not pattern.search(page):
        raise ValueError(f"the page has no {begin!r} … {end!r} to write between")
    return pattern.sub(lambda _: f"{begin}\n\n{text}\n\n{end}", page)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--report", type=Path, help="what evaluate --json wrote")
    parser.add_argument("--page", type=Path, default=Path("docs/demo-model.md"))
    given = parser.parse_args()
    page = placed(given.page.read_text("utf-8"), "questions", listing(load(), titles()))
    page = placed(page, "tools", definitions())
    if given.report:
        page = placed(page, "measured", table(json.loads(given.report.read_text("utf-8"))))
    given.page.write_text(page, "utf-8")


if __name__ == "__main__":
    main()
