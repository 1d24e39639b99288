"""Play a session's recording again: who said what when, how long each reply took, and whether turns are taken as then.

FILE is what `sauropod.Session(record=FILE)` wrote. Every sign in it is played through this version's turn table; if
something else comes of one, that is told, and the exit code is 1. No model is needed, and none is asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from sauropod.cli.failures import FAILED, OK
from sauropod.cli.figures import duration, plural
from sauropod.cli.options import add_json
from sauropod.cli.parser import usage_error
from sauropod.cli.terminal import clean, note, print_json, print_text, styled, wrapped

if TYPE_CHECKING:
    from sauropod._session.replay import Answer, Call, Replay, Story, Turn

__all__ = ["EXAMPLES", "USAGE", "add_arguments", "run"]

USAGE = "FILE [--trace OUT] [options]"
EXAMPLES = """\
  sauropod replay session.jsonl
  sauropod replay session.jsonl --trace session.trace.json
  sauropod replay session.jsonl --json
"""

FIRST_LINE = 4096
"""Bytes, more than the first line of a recording has: another file's may be the whole of it."""

BAR = 32
"""Characters for the whole of the session."""

KEY = "# said by the user   . waited for   = said by the session   ~ held   * a function at work"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a recording")
    about = "write a trace, which https://ui.perfetto.dev draws"
    parser.add_argument("--trace", metavar="OUT", help=about)
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    from sauropod._session.replay import Story
    from sauropod._session.trace import trace

    replay = _read(options.file)
    story = Story.of(replay.lines)
    if options.trace is not None:
        _refuse_same(options.file, options.trace)
        Path(options.trace).write_text(json.dumps(trace(replay.lines, story), allow_nan=False), encoding="utf-8")
    if options.json:
        print_json(_data(replay, story))
    else:
        print_text(_shown(replay, story))
    if replay.cut is not None:
        note(f"Line {replay.cut}, the last, was cut short, as happens when a program is killed. It is left out.")
    if options.trace is not None:
        note(f"{options.trace} is written. Open it in https://ui.perfetto.dev.")
    return OK if replay.difference is None else FAILED


def _read(name: str) -> Replay:
    from sauropod._session.replay import Replay

    with Path(name).open("rb") as file:
        return Replay.of(chain(filter(None, [file.readline(FIRST_LINE)]), file))


def _refuse_same(file: str, out: str) -> None:
    if Path(out).exists() and Path(out).samefile(file):
        usage_error("--trace would write over the recording. Give it another name.", "sauropod replay")


# -- for people -------------------------------------------------------------------------------------------------------


@attrs.frozen
class _Row:
    """A line of the waterfall."""

    began: float
    who: str
    bar: str
    text: str
    more: str = ""


def _shown(replay: Replay, story: Story) -> str:
    rows = sorted(_rows(story), key=lambda row: row.began)
    return "\n".join([*_head(replay, story), "", *chain.from_iterable(map(_lines, rows)), "", _verdict(replay), ""])


def _head(replay: Replay, story: Story) -> list[str]:
    began = datetime.fromtimestamp(replay.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    turns = sum(turn.role == "user" for turn in story.turns.values())
    counts = f"{plural(turns, 'turn')} of the user's, {len(story.answers):,} of the session's"
    return [f"{began}, {duration(story.end)}: {counts}", styled(KEY, "dim")]


def _verdict(replay: Replay) -> str:
    played = f"{plural(replay.signs, 'sign')} played again"
    if replay.difference is None:
        return styled(f"{played}, no difference.", "green")
    return f"{played} without a difference; then there is one.\n{clean(str(replay.difference))}"


def _lines(row: _Row) -> list[str]:
    began = f"{row.began:9.3f} s  {row.who:9} {row.bar:{BAR}}  "
    margin = len(began)
    lines = [began + wrapped(clean(" ".join(row.text.split())), sys.stdout, margin=margin)]
    if row.more:
        lines.append(" " * margin + styled(wrapped(clean(row.more), sys.stdout, margin=margin), "dim"))
    return [line.rstrip() for line in lines]


def _rows(story: Story) -> Iterator[_Row]:
    whole = max(story.end, 1e-9)
    for turn in story.turns.values():
        text = (turn.text or "") if not turn.fate else f"{turn.text or ''} ({turn.fate})".strip()
        yield _Row(turn.began, turn.role, _bar(whole, ("#", turn.began, turn.ended)), text or "(not known)")
    for answer in story.answers.values():
        yield _Row(answer.began, "reply", _reply_bar(whole, answer), _words(answer), _timings(answer))
    for call in story.calls.values():
        output = "no result" if call.output is None else call.output
        text = f"{call.name}({json.dumps(call.arguments, ensure_ascii=False)}) → {output}"
        yield _Row(call.began, "tool", _bar(whole, ("*", call.began, call.ended)), text)


def _bar(whole: float, *parts: tuple[str, float, float | None]) -> str:
    """Where in the session it was: each part drawn with its sign, over those before it."""
    cells = [" "] * BAR
    for sign, began, ended in parts:
        first = min(int(began / whole * BAR), BAR - 1)
        last = min(int((whole if ended is None else ended) / whole * BAR), BAR - 1)
        cells[first : last + 1] = sign * max(last + 1 - first, 1)
    return "".join(cells)[:BAR].rstrip()


def _reply_bar(whole: float, answer: Answer) -> str:
    sounds = [("=", sound.began, min(sound.until, whole)) for sound in answer.sounds]
    written = [("=", answer.began, answer.ended)] if answer.output == "text" else []
    held = [("~", began, ended) for began, ended in answer.held]
    return _bar(whole, (".", answer.began, answer.ended), *written, *sounds, *held)


def _words(answer: Answer) -> str:
    """What it said, and what was the matter if it did not come to its end."""
    whole = answer.status == "completed"
    said = answer.text if whole or not answer.text else f"{answer.text} …"
    why = f": {answer.error}" if answer.error else ""
    matter = "" if whole else f"({(answer.reason or answer.status).replace('_', ' ')}{why})"
    return " ".join(filter(None, [said, matter, "(apart)" if answer.apart else ""])) or "(no words)"


def _timings(answer: Answer) -> str:
    timings = sorted(answer.timings.items(), key=lambda timing: timing[1])
    told = [f"{name.replace('_', ' ')} {duration(after)}" for name, after in timings]
    return " · ".join([*told, "begun before the end of the turn"] if answer.speculated else told)


# -- for programs -----------------------------------------------------------------------------------------------------


def _data(replay: Replay, story: Story) -> dict[str, Any]:
    difference = replay.difference
    return {
        "time": replay.time,
        "seconds": story.end,
        "signs": replay.signs,
        "difference": None if difference is None else attrs.asdict(difference),
        "cut_line": replay.cut,
        "turns": _each([*story.turns.values()], "id", "line", "role", "began", "ended", "text", "fate"),
        "replies": [_reply(answer) for answer in story.answers.values()],
        "calls": _each([*story.calls.values()], "id", "line", "name", "arguments", "began", "ended", "output"),
    }


def _reply(answer: Answer) -> dict[str, Any]:
    (told,) = _each([answer], "id", "line", "began", "ended", "output", "apart", "status", "reason", "error")
    (said,) = _each([answer], "text", "written", "speculated", "timings")
    held = [{"began": began, "ended": ended} for began, ended in answer.held]
    return {**told, **said, "held": held, "audio_seconds": sum(sound.seconds for sound in answer.sounds)}


def _each(values: Sequence[Turn | Answer | Call], *names: str) -> list[dict[str, Any]]:
    return [{name: getattr(value, name) for name in names} for value in values]
