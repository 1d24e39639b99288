"""Trace: a session's recording in Chrome's Trace Event Format, which https://ui.perfetto.dev draws. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs

from sauropod._session.recording import Line
from sauropod._session.replay import Answer, Story

__all__ = ["trace"]

TRACKS = (
    *("user", "user's audio", "heard so far", "turn table: user"),
    *("reply", "reply's audio", "reply held", "voice to voice", "turn table: reply"),
    *("tools", "signs", "events"),
)
"""From top to bottom. What overlaps what is on the same track gets a lane of its own, below."""

LANES = 1_000_000
"""More than a track has."""

AT_REST = frozenset({"quiet", "none"})


@attrs.frozen(kw_only=True)
class _Slice:
    """Something that took its time, with what happened in it."""

    track: str
    name: str
    began: float
    ended: float
    args: Mapping[str, Any]
    moments: Mapping[str, float] = attrs.field(factory=dict)


def trace(lines: Sequence[Line], story: Story | None = None) -> dict[str, Any]:
    """The trace of a recording's lines, as JSON's values: its `traceEvents` in the order of their time.

    Raises `UnsupportedInput` like `Story.of`.
    """
    story = story or Story.of(lines)
    slices = [*_of_the_user(story), *_of_replies(story), *_of_calls(story), *_of_the_table(lines, story.end)]
    events = sorted([*_drawn(slices), *_instants(lines)], key=lambda event: event["ts"])
    return {"traceEvents": [*_heads({event["tid"] for event in events}), *events], "displayTimeUnit": "ms"}


def _of_the_user(story: Story) -> list[_Slice]:
    args: dict[str, Any]
    slices = []
    for turn in story.turns.values():
        args = {"id": turn.id, "role": turn.role, "text": turn.text, "fate": turn.fate or None, "line": turn.line}
        ended = story.end if turn.ended is None else turn.ended
        name = turn.text or turn.fate or "(not known)"
        slices.append(_Slice(track="user", name=name, began=turn.began, ended=ended, args=args))
    for sound in story.heard:
        args = {"seconds": sound.seconds, "frames": sound.frames, "line": sound.line}
        slices.append(_Slice(track="user's audio", name="audio", began=sound.began, ended=sound.last, args=args))
    return slices


def _of_replies(story: Story) -> list[_Slice]:
    args: dict[str, Any]
    slices = []
    for answer in story.answers.values():
        end, moments = answer.ended, {name: answer.asked + after for name, after in answer.timings.items()}
        ended, args = story.end if end is None else end, _answer_args(answer)
        name = answer.text or answer.status
        slices.append(_Slice(track="reply", name=name, began=answer.began, ended=ended, args=args, moments=moments))
        for sound in answer.sounds:
            args = {"seconds": sound.seconds, "frames": sound.frames, "reply": answer.id, "line": sound.line}
            slices.append(_Slice(track="reply's audio", name="audio", began=sound.began, ended=sound.until, args=args))
        for begun, over in answer.held:
            args = {"reply": answer.id}
            until = story.end if over is None else over
            slices.append(_Slice(track="reply held", name="held", began=begun, ended=until, args=args))
        if "first_audio" in moments:
            began, heard, args = answer.asked, moments["first_audio"], {"reply": answer.id}
            slices.append(_Slice(track="voice to voice", name="until heard", began=began, ended=heard, args=args))
    return slices


def _answer_args(answer: Answer) -> dict[str, Any]:
    return {
        **{name: getattr(answer, name) for name in ("id", "output", "status", "reason", "error", "text", "written")},
        **{name: getattr(answer, name) for name in ("apart", "speculated", "line")},
        "timings": answer.timings,
    }


def _of_calls(story: Story) -> list[_Slice]:
    slices = []
    for call in story.calls.values():
        args = {"id": call.id, "arguments": call.arguments, "output": call.output, "line": call.line}
        ended = story.end if call.ended is None else call.ended
        slices.append(_Slice(track="tools", name=call.name, began=call.began, ended=ended, args=args))
    return slices


def _of_the_table(lines: Iterable[Line], end: float) -> list[_Slice]:
    """How long either side was in which state."""
    slices: list[_Slice] = []
    states: dict[str, tuple[str, float, int]] = {}
    for line in [each for each in lines if each.kind == "sign"]:
        for side in ("user", "reply"):
            before, now = states.get(side), line.text(side)
            if before is None or before[0] != now:
                slices += _state(side, before, line.at)
                states[side] = (now, line.at, line.number)
    return [*slices, *(each for side, state in states.items() for each in _state(side, state, end))]


def _state(side: str, state: tuple[str, float, int] | None, end: float) -> list[_Slice]:
    if state is None or state[0] in AT_REST:
        return []
    name, began, line = state
    return [_Slice(track=f"turn table: {side}", name=name, began=began, ended=end, args={"line": line})]


# -- how it is drawn --------------------------------------------------------------------------------------------------


def _drawn(slices: Iterable[_Slice]) -> list[dict[str, Any]]:
    """As events, on lanes of their tracks on which nothing overlaps."""
    events: list[dict[str, Any]] = []
    free: dict[str, list[int]] = {track: [] for track in TRACKS}
    for each in sorted(slices, key=lambda each: each.began):
        began, ended = _ticks(each.began), max(_ticks(each.began), _ticks(each.ended))
        lane = _lane(free[each.track], began, ended)
        at = {"pid": 1, "tid": _tid(each.track, lane), "cat": each.track}
        events.append({"name": each.name, "ph": "X", "ts": began, "dur": ended - began, **at, "args": each.args})
        for name, moment in each.moments.items():
            events.append({"name": name.replace("_", " "), "ph": "i", "s": "t", "ts": _ticks(moment), **at})
    return events


def _lane(free: list[int], began: int, ended: int) -> int:
    """The first lane that is free then. `free` is when each will be."""
    lane = next((lane for lane, tick in enumerate(free) if tick <= began), len(free))
    free[lane : lane + 1] = [ended]
    return lane


def _instants(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Signs, partial transcripts, and events that are told nowhere else."""
    events = []
    for line in lines:
        if line.kind == "sign":
            acts = line.words("acts")
            args = {"acts": acts, "user": line.text("user"), "reply": line.text("reply"), "owed": line.flag("owed")}
            events.append(_instant("signs", line.text("sign"), line, args))
        elif line.kind == "event" and line.text("event") == "UserHeard":
            args = {"stable": line.text("stable"), "tentative": line.text("tentative")}
            events.append(_instant("heard so far", f"{args['stable']} {args['tentative']}".strip(), line, args))
        elif line.kind == "event" and not line.text("event").startswith(("Reply", "Item")):
            events.append(_instant("events", line.text("event"), line, {}))
    return events


def _instant(track: str, name: str, line: Line, args: Mapping[str, Any]) -> dict[str, Any]:
    at = {"pid": 1, "tid": _tid(track, 0), "cat": track}
    return {"name": name, "ph": "i", "s": "t", "ts": _ticks(line.at), **at, "args": {**args, "line": line.number}}


def _heads(tids: Iterable[int]) -> list[dict[str, Any]]:
    """What the tracks are called, and in which order they are drawn."""
    heads = [{"name": "process_name", "ph": "M", "ts": 0, "pid": 1, "args": {"name": "session"}}]
    for tid in sorted(tids):
        at: dict[str, Any] = {"ph": "M", "ts": 0, "pid": 1, "tid": tid}
        heads.append({"name": "thread_name", **at, "args": {"name": TRACKS[(tid - 1) // LANES]}})
        heads.append({"name": "thread_sort_index", **at, "args": {"sort_index": tid}})
    return heads


def _tid(track: str, lane: int) -> int:
    return TRACKS.index(track) * LANES + lane + 1


def _ticks(seconds: float) -> int:
    return max(0, round(seconds * 1e6))
