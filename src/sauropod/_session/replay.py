"""Replay: a recording played once more, through the turn table and as a story of who did what when. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import attrs

from sauropod._session.recording import Line, read_lines
from sauropod._speech.turns import IllegalTurn, Sign, Turns

__all__ = ["MOMENTS", "Answer", "Call", "Difference", "Replay", "Sound", "Story", "Turn"]

MOMENTS = ("endpoint", "transcript", "first_token", "first_phrase", "first_audio")
"""What a reply's timings tell, in the order in which it is waited for."""

CLOSE = 0.25
"""Seconds. Audio that comes so soon after other audio is told of together with it."""


@attrs.frozen
class Difference:
    """Where the recording and the turn table part. What comes after it was not played."""

    line: int
    at: float
    """Seconds since the beginning."""
    recorded: str
    now: str

    def __str__(self) -> str:
        return f"Line {self.line}, at {self.at:.3f} s, differs.\n  recorded  {self.recorded}\n  now       {self.now}"


@attrs.frozen
class Replay:
    """A recording that was played again."""

    lines: Sequence[Line] = attrs.field(repr=False)
    """All but the first."""
    time: float
    """When the session began, in seconds since 1970."""
    signs: int
    """How many came out as they were recorded."""
    difference: Difference | None = None
    """The first."""
    cut: int | None = None
    """The number of the last line, if it was cut short, as happens when a program is killed. It is left out."""

    @classmethod
    def of(cls, lines: Iterable[str | bytes]) -> Replay:
        """Read the lines of a recording and play it. Raises `UnsupportedInput` if they are none."""
        read, cut = read_lines(lines)
        head, rest = read[0], read[1:]
        signs, difference = _played(line for line in rest if line.kind == "sign")
        return cls(rest, head.seconds("time", most=math.inf), signs, difference, cut)


# -- playing ----------------------------------------------------------------------------------------------------------


def _played(signs: Iterable[Line]) -> tuple[int, Difference | None]:
    """How many signs come out as recorded, and the first that does not."""
    turns, agreed = Turns(), 0
    for line in signs:
        recorded, now = _recorded(line), _now(turns, line)
        if recorded != now:
            return agreed, Difference(line.number, line.at, recorded, now)
        agreed += 1
    return agreed, None


def _recorded(line: Line) -> str:
    return _told(line.text("sign"), line.words("acts"), line.text("user"), line.text("reply"), line.flag("owed"))


def _now(turns: Turns, line: Line) -> str:
    sign = line.text("sign")
    if sign not in list(Sign):
        return f"There is no sign {sign!r}."
    turns.interruptible = line.flag("interruptible")
    try:
        acts = turns.take(Sign(sign))
    except IllegalTurn as error:
        return str(error)
    return _told(sign, acts, turns.user, turns.reply, turns.owed)


def _told(sign: str, acts: Sequence[str], user: str, reply: str, owed: bool) -> str:
    """A sign and all that came of it, in one line."""
    done = " ".join(acts) or "nothing"
    return f"{sign} → {done}; user {user}, reply {reply}{', another owed' if owed else ''}"


# -- the story --------------------------------------------------------------------------------------------------------


@attrs.define(eq=False, kw_only=True)
class Turn:
    """What somebody other than the model said or wrote in one go."""

    id: str
    line: int
    began: float
    ended: float | None = None
    """Also of one that was not over when the recording ended."""
    role: str = "user"
    text: str | None = None
    """None: nobody knows."""
    fate: str = ""
    """What became of it, if it was nothing good."""


@attrs.define(eq=False)
class Sound:
    """Audio that came without a gap."""

    line: int
    began: float
    last: float
    """When the last frame came."""
    until: float
    """When all of it can have been played."""
    seconds: float = 0.0
    frames: int = 0

    def add(self, at: float, seconds: float) -> None:
        self.last, self.until = at, max(self.until, at) + seconds
        self.seconds += seconds
        self.frames += 1


@attrs.define(eq=False, kw_only=True)
class Answer:
    """A reply, as far as was told of it."""

    id: str
    line: int
    began: float
    ended: float | None = None
    output: str = "audio"
    apart: bool = False
    status: str = "in_progress"
    reason: str | None = None
    error: str | None = None
    text: str = ""
    """At its end, what of it was said: of one that was cut, what was heard."""
    written: str = ""
    timings: dict[str, float] = attrs.field(factory=dict)
    """By their names in `MOMENTS`, seconds after `asked`."""
    asked: float = 0.0
    """When the last sound of the user's had come in, or when it was asked for."""
    speculated: bool = False
    held: list[tuple[float, float | None]] = attrs.field(factory=list)
    sounds: list[Sound] = attrs.field(factory=list)
    seen: dict[str, float] = attrs.field(factory=dict)
    """When something was recorded that its timings tell of too, so that one clock is known by the other."""
    items: set[str] = attrs.field(factory=set)
    """The ids of what it says."""

    def let_go(self, at: float) -> None:
        """It is not held any more."""
        if self.held and self.held[-1][1] is None:
            self.held[-1] = (self.held[-1][0], at)

    def finish(self, line: Line, reply: Line) -> None:
        self.let_go(line.at)
        self.ended, self.status = line.at, reply.text("status")
        self.reason, self.error = (reply.text(name) if name in reply else None for name in ("reason", "error"))
        self.text = " ".join(item.text("text") for item in reply.parts("items") if "text" in item)
        timings = reply.part("timings")
        self.timings = {name: timings.seconds(name) for name in MOMENTS if name in timings}
        self.speculated = timings.flag("speculated")
        for sound in self.sounds if self.status == "cancelled" else []:
            sound.until = max(sound.last, min(sound.until, line.at))
        self.asked = self._beginning()

    def _beginning(self) -> float:
        """Where its timings count from. What was begun in private was told of later than it happened."""
        for name in ("first_audio", "endpoint") if self.speculated else ("first_audio", "first_token", "endpoint"):
            if name in self.timings and name in self.seen:
                return max(0.0, self.seen[name] - self.timings[name])
        return self.began


@attrs.define(eq=False, kw_only=True)
class Call:
    """A call of a tool."""

    id: str
    line: int
    began: float
    ended: float | None = None
    name: str
    arguments: Mapping[str, Any]
    output: str | None = None


@attrs.define(eq=False)
class Story:
    """Who did what, from when to when."""

    turns: dict[str, Turn] = attrs.field(factory=dict)
    answers: dict[str, Answer] = attrs.field(factory=dict)
    calls: dict[str, Call] = attrs.field(factory=dict)
    heard: list[Sound] = attrs.field(factory=list)
    """The user's audio."""
    end: float = 0.0
    """When the last thing happened."""
    _over: float | None = None
    """When a turn of the user's was last over."""

    @classmethod
    def of(cls, lines: Iterable[Line]) -> Self:
        """Raises `UnsupportedInput` for an event that is not as a session writes it."""
        story = cls()
        for line in lines:
            story._take(line)
            story.end = line.at
        return story

    def _take(self, line: Line) -> None:
        match line.kind:
            case "sign" if line.text("sign") == "over":
                self._over = line.at
            case "in":
                _sound(self.heard, line, self.heard[-1].last if self.heard else None)
            case "out" if (answer := self.answers.get(line.text("reply_id"))) is not None:
                answer.seen.setdefault("first_audio", line.at)
                _sound(answer.sounds, line, answer.sounds[-1].until if answer.sounds else None)
            case "event" if line.text("event").startswith("Reply"):
                self._take_reply(line.text("event"), line)
            case "event" if line.text("event") in ("ItemAdded", "ItemDone"):
                self._take_item(line, line.part("item"), done=line.text("event") == "ItemDone")
            case "event":
                self._take_turn(line.text("event"), line)

    def _take_turn(self, event: str, line: Line) -> None:
        at = line.at
        match event:
            case "UserStarted" | "AudioCommitted" | "IdleTimedOut" | "UserStopped":
                turn = self._turn(line.text("item_id"), line)
                if event == "UserStopped":
                    turn.ended = at
                elif event == "AudioCommitted":
                    turn.ended = at if turn.ended is None else turn.ended
                elif event == "IdleTimedOut":
                    turn.fate = "nobody said anything"
            case "UserSaid":
                item = line.part("item")
                self._turn(item.text("id"), line).text = item.text("text")
            case "NothingHeard":
                self._turn(line.text("item_id"), line).fate = "not a word in it"
            case "UserUnheard":
                self._turn(line.text("item_id"), line).fate = f"not recognised: {line.text('error')}"
            case "ItemTruncated":
                for answer in self.answers.values():
                    if line.text("item_id") in answer.items:
                        answer.text = line.text("text")

    def _take_reply(self, event: str, line: Line) -> None:
        reply = line.part("reply") if event in ("ReplyStarted", "ReplyFinished") else None
        answer = self._answer(line, reply)
        match event:
            case "ReplyFinished" if reply is not None:
                answer.finish(line, reply)
            case "ReplyText":
                answer.written += line.text("text")
                answer.text = answer.written
            case "ReplyHeld":
                answer.let_go(line.at)
                answer.held.append((line.at, None))
            case "ReplyResumed":
                answer.let_go(line.at)

    def _answer(self, line: Line, reply: Line | None) -> Answer:
        id = reply.text("id") if reply is not None else line.text("reply_id")
        if id not in self.answers:
            answer = self.answers[id] = Answer(id=id, line=line.number, began=line.at, asked=line.at)
            if self._over is not None:
                answer.seen["endpoint"] = self._over
            if reply is not None:
                answer.output, answer.apart = reply.text("output"), reply.flag("apart")
        return self.answers[id]

    def _take_item(self, line: Line, item: Line, *, done: bool) -> None:
        answer = self.answers.get(line.text("reply_id")) if "reply_id" in line else None
        if answer is not None:
            answer.seen.setdefault("first_token", line.at)
            answer.items.add(item.text("id"))
        if "call" in item and done:
            call = item.part("call")
            id, arguments = call.text("id") if "id" in call else item.text("id"), call.part("arguments").fields
            self.calls[id] = Call(id=id, line=line.number, began=line.at, name=call.text("name"), arguments=arguments)
        elif "call_id" in item and (called := self.calls.get(item.text("call_id"))) is not None and not done:
            called.ended, called.output = line.at, item.text("output")
        elif "role" in item and "reply_id" not in line and not done:
            turn = self._turn(item.text("id"), line)
            turn.role = item.text("role")
            turn.ended = line.at if turn.ended is None else turn.ended
            turn.text = item.text("text") if "text" in item else turn.text

    def _turn(self, id: str, line: Line) -> Turn:
        return self.turns.setdefault(id, Turn(id=id, line=line.number, began=line.at))


def _sound(sounds: list[Sound], line: Line, until: float | None) -> None:
    """More of the last of them, if that was under way until just now; else one more."""
    if until is None or until < line.at - CLOSE:
        sounds.append(Sound(line.number, line.at, line.at, line.at))
    sounds[-1].add(line.at, line.count("samples") / line.count("rate", 1))
