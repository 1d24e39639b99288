"""What a model writes, as it comes: text, thoughts and calls told apart.

    parser = OutputParser(syntax, tools, new_id)
    for piece in pieces:
        yield from parser.feed(piece)
    yield from parser.finish()

Nothing that may still become a mark is given out, and nothing is lost: what began like a mark and is none is text, and
a call that turns out to be malformed is text with a warning. Where the pieces are cut makes no difference to what they
mean. Blanks between thoughts, text and calls are layout, and belong to none of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from enum import Enum

import attrs

from sauropod._text.atoms import first_mark, is_mark
from sauropod._text.beginnings import TELLING, beginnings
from sauropod._text.calls import CallReader
from sauropod._text.found import Found
from sauropod._text.harmony import ChannelReader
from sauropod._text.source import Malformed, Reading, Sink, Source, held_back
from sauropod._values.completion import StreamEvent
from sauropod._values.messages import Tool
from sauropod._values.syntax import CallSyntax, Slot, Syntax

__all__ = ["OutputParser"]

MOST_ENDLESS = 8
"""Calls that begin and have no end, after which no more are looked for: each is read to the end of the text."""


class OutputParser:
    """Reads one answer.

    `tools` are those the model was offered; without any, what looks like a call is text. `prefill` is how the prompt
    ended after the model's turn had begun. With `whole`, a text that has begun is held to something: no call is in it.
    """

    def __init__(
        self,
        syntax: Syntax,
        tools: Sequence[Tool],
        new_id: Callable[[], str],
        *,
        index: int = 0,
        prefill: str = "",
        whole: bool = False,
    ) -> None:
        self._source = Source()
        self._found = Found(index, new_id)
        offered = {tool.name: tool for tool in tools}
        reader: AnswerReader | ChannelReader
        if syntax.harmony:
            reader = ChannelReader(self._source, self._found, offered)
        else:
            reader = AnswerReader(self._source, self._found, offered, syntax, whole)
        self._reader = reader
        self._reading = reader.read()
        next(self._reading)
        self.feed(prefill)

    @property
    def thinking(self) -> bool:
        """Whether what comes next is part of the model's thoughts, as far as can be told."""
        return self._reader.thinking

    def feed(self, text: str) -> list[StreamEvent]:
        """Take in more of what the model wrote. What is certain now."""
        self._source.text += text
        return self._go_on()

    def finish(self, *, cut: bool = False) -> list[StreamEvent]:
        """Nothing more will come. The rest; a call that is not complete is none, if the text was `cut` off."""
        self._source.ended, self._source.cut = True, cut
        return self._go_on()

    def _go_on(self) -> list[StreamEvent]:
        with suppress(StopIteration):
            next(self._reading)
        return self._found.drain()


class _Kind(Enum):
    """What a mark begins."""

    THOUGHTS = "thoughts"
    CALLS = "calls"
    ANSWER = "answer"
    NOTHING = "nothing"
    """It ends something, or stands between things."""


@attrs.define
class AnswerReader:
    """Reads an answer with marks in it."""

    source: Source
    found: Found
    tools: dict[str, Tool]
    syntax: Syntax
    whole: bool = False
    """Whether there are no calls in the middle of a text."""
    thinking: bool = False
    _endless: int = 0
    _marks: list[tuple[str, _Kind]] = attrs.field(init=False)
    """With which a part of an answer may begin, the longest first."""
    _telling: list[str] = attrs.field(init=False)
    """Of these, beginnings that are looked for in the middle of a text too."""

    def __attrs_post_init__(self) -> None:
        reasoning, calls = self.syntax.reasoning, self._calls
        marks = {self.syntax.content_open: _Kind.ANSWER, self.syntax.content_close: _Kind.NOTHING}
        if reasoning is not None:
            marks |= {reasoning.close: _Kind.NOTHING, reasoning.open: _Kind.THOUGHTS}
        if calls is not None:
            marks |= {calls.head: _Kind.CALLS}
            marks |= {calls.between: _Kind.NOTHING} if is_mark(calls.between) else {}
        self._marks = [(mark.strip(), kind) for mark, kind in marks.items() if mark.strip()]
        self._marks.sort(key=lambda pair: -len(pair[0]))
        self._telling = _telling([self.syntax.content_open, self.syntax.content_close])
        if calls is not None and not self.whole:
            self._telling += [*_telling([calls.between]), *beginnings(calls, self.tools)]

    @property
    def _calls(self) -> CallSyntax | None:
        return self.syntax.calls if self.tools else None

    def read(self) -> Reading[None]:
        """Read all of it."""
        kept = not self.syntax.content_open.isspace()  # whether blanks at this place are part of a text
        while (yield from self.source.peek()):
            self.source.forget()
            blanks = yield from self.source.layout()
            if not (yield from self.source.peek()):
                self.found.text(blanks if kept else "")
                return
            mark, kind = yield from self._mark()
            match kind:
                case _Kind.THOUGHTS:
                    yield from self._thoughts(mark)
                    kept = False
                case _Kind.CALLS:
                    kept = yield from self._section(blanks if kept else "")
                case _Kind.ANSWER | _Kind.NOTHING:
                    yield from self.source.literal(self.syntax.content_open if kind is _Kind.ANSWER else mark)
                    kept = kind is _Kind.ANSWER
                case None:
                    self.found.text(blanks if kept else "")
                    kept = yield from self._text()

    def _mark(self) -> Reading[tuple[str, _Kind | None]]:
        """The mark that comes now."""
        for mark, kind in self._marks:
            if (yield from self.source.begins(mark)):
                return mark, kind
        bare = self._calls is not None and not self._calls.head.strip() and self._calls.is_object
        if bare and (yield from self.source.begins("{")):
            return "{", _Kind.CALLS
        return "", None

    def _text(self, at_least: int = 0) -> Reading[bool]:
        """Read text up to the next mark, and so many characters whatever they are."""
        while True:
            self.found.text(self.source.rest[:at_least])
            self.source.at += at_least
            mark = yield from self._until_any(self._telling, self.found.text)
            if mark is None or (yield from self._mark())[1]:
                return True
            begin = self.source.at
            blanks = yield from self.source.layout()
            self.source.at, at_least = begin, len(blanks) + len(mark)

    def _thoughts(self, mark: str) -> Reading[None]:
        assert self.syntax.reasoning is not None
        self.thinking = True
        yield from self.source.literal(mark)
        yield from self.source.blanks()
        yield from self._until_any([self.syntax.reasoning.close], self.found.thought)
        self.thinking = False

    def _until_any(self, marks: Sequence[str], sink: Sink) -> Reading[str | None]:
        """Read up to the first of these marks, and not the blanks before it. The mark; None at the end."""
        marks = [mark for mark in marks if mark]
        if not marks:
            yield from self._to_the_end(sink)
            return None
        pattern = re.compile("|".join(map(re.escape, sorted(marks, key=len, reverse=True))))
        while True:
            text = self.source.rest
            found = pattern.search(text)
            certain = found.start() if found else len(text) if self.source.ended else len(text) - held_back(text, marks)
            if found or not self.source.ended:
                certain = len(text[:certain].rstrip())
            sink(text[:certain])
            self.source.at += certain
            if found:
                return found[0]
            if self.source.ended:
                return None
            self.source.forget()
            yield

    def _to_the_end(self, sink: Sink) -> Reading[None]:
        while True:
            sink(self.source.rest)
            self.source.at = len(self.source.text)
            if self.source.ended:
                return
            self.source.forget()
            yield

    # -- calls -----------------------------------------------------------------------------------------------------

    def _section(self, blanks: str) -> Reading[bool]:
        """Read calls that follow each other. Whether blanks after them are text."""
        calls = self._calls
        assert calls is not None
        telling = is_mark(calls.head)
        reader = CallReader(self.source, calls, self.tools, self.found, only_known=not telling)
        begin, more = self.source.at, True
        try:
            if calls.open.strip():
                yield from self.source.literal(calls.open)
            while more:
                yield from reader.read()
                self.found.close()
                begin, blanks = self.source.at, ""
                more = yield from self._goes_on(calls)
        except Malformed as fault:
            self._give_up_if_endless()
            warning = f"What looks like a call is none: {fault}."
            shown = warning if telling or self.found.in_call else ""
            self.found.drop(warning)
            self.source.at = begin
            self.found.text(blanks)
            first = first_mark(calls.head.strip())
            length = len(first) if first and self.source.rest.startswith(first) else 1
            self.found.text(self.source.rest[:length], shown)
            self.source.at += length
            return (yield from self._text())
        return False

    def _give_up_if_endless(self) -> None:
        """A call that was read in vain up to the end of the text: many of them would take time by the square."""
        self._endless += self.source.ended and self.source.at >= len(self.source.text)
        if self._endless > MOST_ENDLESS:
            self._marks = [(mark, kind) for mark, kind in self._marks if kind is not _Kind.CALLS]
            self._telling = _telling([self.syntax.content_open, self.syntax.content_close])

    def _goes_on(self, calls: CallSyntax) -> Reading[bool]:
        """Whether another call follows in the same section; what is between them is read."""
        if calls.close.strip() and (yield from self.source.begins(calls.close)):
            yield from self.source.literal(calls.close)
            return False
        if not calls.open.strip() and calls.between.strip() != ",":
            return False
        head = calls.call[0]
        if calls.between.strip() and (yield from self.source.begins(calls.between)):
            yield from self.source.literal(calls.between)
            return True
        if not isinstance(head, Slot) and head.strip():
            return (yield from self.source.begins(head))
        if calls.is_object:
            return (yield from self.source.blanks(",")) == "{"
        return not calls.between.strip() and (yield from self.source.blanks()).isidentifier()


def _telling(texts: Iterable[str]) -> list[str]:
    """What would not stand in a text by chance, of these."""
    return [first_mark(text.strip()) for text in texts if is_mark(text) or len(text.strip()) >= TELLING]
