"""What an answer may be: thoughts, then text or calls, in the syntax of the model.

    start: thoughts? (text | text? calls)

Prose is free, and so are thoughts. Where a call begins, its name is one of those offered and its arguments are held to
that tool's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

import attrs

from sauropod._text.atoms import first_mark, is_mark
from sauropod._text.exceptions import HARMONY_CALLS, HARMONY_PREAMBLE
from sauropod._text.lark import Lark, Marks, escaped_pattern
from sauropod._text.output import OutputParser
from sauropod._text.value_grammar import ANY_TEXT, ArgumentGrammar
from sauropod._text.writing import frame_of
from sauropod._values.grammar import Grammar
from sauropod._values.messages import Tool, ToolChoice
from sauropod._values.syntax import CallSyntax, Slot, Syntax

__all__ = ["answer_grammar"]

MOST_CALLS = 64
"""In one message. A model that never ends would go on for ever."""

BLANKS = "[ \\n]{1,4}"


def answer_grammar(
    syntax: Syntax,
    marks: Marks,
    *,
    tools: Sequence[Tool] = (),
    choice: ToolChoice | None = None,
    parallel: bool = True,
    grammar: Grammar | None = None,
    prefill: str = "",
) -> Grammar | None:
    """The grammar of an answer; None if it may be anything.

    `grammar` is what the text has to be where the model does not call; `prefill` is how the prompt ends, after the
    model's turn has begun. Raises `InvalidGrammar` for a tool's schema that cannot be held.
    """
    choice = choice or ToolChoice()
    offered = [tool for tool in tools if choice.allows(tool)]
    if grammar is None and not offered:
        return None
    return _Answer(Lark(marks), syntax, offered, choice, parallel, grammar, prefill).grammar_of_all()


@attrs.define
class _Answer:
    lark: Lark
    syntax: Syntax
    tools: Sequence[Tool]
    choice: ToolChoice
    parallel: bool
    grammar: Grammar | None
    prefill: str

    def grammar_of_all(self) -> Grammar:
        thoughts = self._thoughts()
        marked = self.syntax.content_open.strip() or self.syntax.content_close
        if self.grammar is not None and not (self.tools or thoughts or marked):
            return self.grammar
        self.lark.rule(f"{thoughts} {self._answer()}".strip(), name="start")
        return Grammar.lark(self.lark.text(), {"answer": self.grammar} if self.grammar is not None else None)

    # -- thoughts --------------------------------------------------------------------------------------------------

    def _thoughts(self) -> str:
        """Thoughts that go on, or that may begin; empty if there are none."""
        reasoning = self.syntax.reasoning
        if reasoning is None:
            return ""
        if self._is_thinking():
            return f"{self.lark.until(reasoning.close)} {self._blanks()}"
        if reasoning.close in self.prefill or not reasoning.open:
            return ""
        body = f"{self._told(reasoning.open)} {self.lark.until(reasoning.close)} {self._blanks()}"
        return f"({self.lark.rule(f'{self._blanks()} {body}')})?"

    def _is_thinking(self) -> bool:
        return OutputParser(self.syntax, (), lambda: "", prefill=self.prefill).thinking

    def _told(self, text: str) -> str:
        """A mark that is recognised at once where any text might go on instead."""
        text = self._not_written_yet(text)
        first, token = next(iter(self.lark.marks(text)), ("", None))
        if token is not None or not text:
            return self.lark.literal(text)
        return f"{self.lark.rule(self.lark.literal(first), '[lazy]')} {self.lark.literal(text[len(first) :])}".rstrip()

    def _not_written_yet(self, text: str) -> str:
        """What is left of it, if the prompt ends with its beginning."""
        return text[len(self.prefill) :] if self.prefill and text.startswith(self.prefill) else text

    def _blanks(self) -> str:
        return f"{self.lark.terminal(f'/{BLANKS}/')}?"

    # -- text and calls --------------------------------------------------------------------------------------------

    def _answer(self) -> str:
        alternatives = []
        calls = self.syntax.calls if self.tools else None
        if calls is not None:
            marks = [self.syntax.content_open, self.syntax.content_close]  # which some write with nothing between
            nothing = f"({self.lark.literal(''.join(marks))} {self._blanks()})?" if all(map(str.strip, marks)) else ""
            for way in (calls, *(HARMONY_CALLS if self.syntax.harmony else ())):
                head = self._not_written_yet(_head(way))
                alternatives.append(f"{self._blanks()} {nothing} {self._calls(way, head)}")
            if self.syntax.harmony and self.choice.mode != "required":
                open, close = HARMONY_PREAMBLE
                said = f"{self.lark.literal(open)} {self.lark.until(close)}"
                alternatives.append(f"{said} {self._calls(calls, _head(calls))}")
        if self.grammar is not None:
            alternatives.append(self._content("@answer"))
        elif self.choice.mode != "required":
            alternatives += self._prose(calls)
        return self.lark.rule(" | ".join(alternatives))

    def _content(self, inside: str) -> str:
        """Something between the marks of an answer."""
        open, close = self.syntax.content_open, self.syntax.content_close
        if open.isspace() or (self.prefill and self.prefill.rstrip().endswith(open.strip())):
            open = ""
        return f"{self._told(open)} {inside} {self.lark.literal(close)}".strip()

    def _prose(self, calls: CallSyntax | None) -> list[str]:
        """Text, and text with calls after it."""
        open, close = self.syntax.content_open, self.syntax.content_close
        marked = bool(open.strip() or close)
        if calls is None:
            return [self._content(self._any())]
        head = _head(calls)
        if marked and is_mark(close):  # the text has an end of its own
            content = self._content(self.lark.until(close).rstrip()) if not open.strip() else None
            content = content or f"{self._told(open)} {self.lark.until(close)}"
            return [content, f"{content} {self._blanks()} {self._calls(calls, head)}", self._any()]
        if not is_mark(head):  # calls begin like any text, so text may not begin like calls
            first = escaped_pattern(head.strip()[:1] or "{")
            return [self._content(self.lark.terminal(f"/[^\\s{first}]{ANY_TEXT}/"))]
        first, token = next(iter(self.lark.marks(head)))
        if token is not None:
            text = self._any()
            return [self._content(text), f"{self._content(text)} {self._calls(calls, head)}"]
        trigger = first_mark(first.lstrip())
        rest = self._calls(calls, head.lstrip()[len(trigger) :])
        lazy = self.lark.rule(f"/{ANY_TEXT}{escaped_pattern(trigger)}/", "[lazy]")
        return [self._content(self._any()), self._content(f"{lazy} {rest}")]

    def _any(self) -> str:
        return self.lark.terminal(f"/{ANY_TEXT}/")

    def _calls(self, calls: CallSyntax, head: str) -> str:
        """Calls, after what of their beginning is left in `head`."""
        each = self.lark.rule(" | ".join(self._call(calls, tool) for tool in self.tools))
        first = f"{self.lark.literal(head)} {each}"
        more = ""
        if self.parallel and calls.parallel:
            between = self.lark.literal(calls.between + _own_head(calls))
            more = f"({between} {each}){{0,{MOST_CALLS - 1}}}"
        return " ".join(filter(None, [first, more, self.lark.literal(calls.close)]))

    def _call(self, calls: CallSyntax, tool: Tool) -> str:
        """A call of one tool, without what every call begins with."""
        parts = calls.call if isinstance(calls.call[0], Slot) else calls.call[1:]
        return self.lark.rule(" ".join(filter(None, (self._part(calls, tool, part) for part in parts))))

    def _part(self, calls: CallSyntax, tool: Tool, part: Any) -> str:
        match part:
            case Slot.OBJECT:
                return self._object(calls, tool)
            case Slot.NAME:
                return self.lark.literal(tool.name)
            case Slot.ID if calls.id_form and Slot.NAME not in calls.call:
                before, _, after = calls.id_form.format(name=tool.name, index="\0").partition("\0")
                number = self.lark.terminal("/[0-9]{1,2}/")
                return f"{self.lark.literal(before)} {number} {self.lark.literal(after)}"
            case Slot.ID:
                return self.lark.terminal("/[A-Za-z0-9]{9}/")
            case Slot.INDEX:
                return self.lark.terminal("/[0-9]{1,2}/")
            case Slot.ARGUMENTS:
                return ArgumentGrammar(self.lark, calls.arguments, tool).arguments()
            case _:
                return self.lark.literal(part)

    def _object(self, calls: CallSyntax, tool: Tool) -> str:
        """A call that is a JSON object, as the template writes it."""
        written: list[str] = []
        frame = list(calls.frame or frame_of(calls))
        for place, part in enumerate(frame):
            match part:
                case Slot.NAME:
                    written.append(self.lark.literal(json.dumps(tool.name)[1:-1]))
                case Slot.ARGUMENTS:
                    written.append(ArgumentGrammar(self.lark, calls.arguments, tool).arguments())
                case Slot.ID if found := re.search(_FIELD, str(frame[place - 1])):  # which some leave out
                    before, after = found[0], str(frame[place + 1])
                    frame[place + 1] = after.removeprefix('"')
                    id = f"{self.lark.literal(before)} {self.lark.terminal(ID)} {self.lark.literal(after[:1])}"
                    written.append(f"({id})?")
                case Slot.ID:
                    written.append(self.lark.terminal(ID))
                case _:
                    ahead = frame[place + 1] if place + 1 < len(frame) else ""
                    text = re.sub(_FIELD, "", str(part)) if ahead is Slot.ID else str(part)
                    written.append(self.lark.literal(text))
        return " ".join(filter(None, written))


ID = "/[A-Za-z0-9_-]{1,32}/"

_FIELD = re.compile(r',\s*"[^"]+"\s*:\s*"$')
"""The beginning of another field of an object, whose value is a text."""


def _own_head(calls: CallSyntax) -> str:
    return "" if isinstance(calls.call[0], Slot) else calls.call[0]


def _head(calls: CallSyntax) -> str:
    head = calls.open + _own_head(calls)
    return head.lstrip() if is_mark(head) else head
