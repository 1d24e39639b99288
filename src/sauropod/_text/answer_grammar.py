"""What an answer may be: thoughts, then text or calls, in the syntax of the model.

    start: thoughts? (text | text? calls)

Prose is free, and so are thoughts. Where a call begins, its name is one of those offered and its arguments are held to
that tool's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, TypeAlias

import attrs

from sauropod._text.atoms import is_mark
from sauropod._text.beginnings import beginnings
from sauropod._text.exceptions import HARMONY_CALLS, HARMONY_PREAMBLE
from sauropod._text.harmony import ENDS
from sauropod._text.lark import ANY_TEXT, Lark, Marks, escaped_pattern
from sauropod._text.output import OutputParser
from sauropod._text.value_grammar import ArgumentGrammar
from sauropod._text.writing import frame_of
from sauropod._values.grammar import Grammar
from sauropod._values.messages import Tool, ToolChoice
from sauropod._values.syntax import CallSyntax, Slot, Syntax

__all__ = ["answer_grammar"]

MOST_CALLS = 64
"""In one message. A model that never ends would go on for ever."""

BLANKS = "[ \\n]{1,4}"

ANSWER = "answer"
"""What the grammar of the answer is called inside that of all."""


@attrs.frozen
class _Told:
    """Text in a call that is always the same."""

    text: str
    given: bool = False
    """Whether it is the user's own, in which nothing is a mark."""


Piece: TypeAlias = _Told | str
"""Of a call: text, or the name of a rule."""


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

    `grammar` is what the text has to be if the model does not call; where it has to call, it says nothing. `prefill`
    is how the prompt ends, after the model's turn has begun. Raises `InvalidGrammar` for a tool's schema that cannot be
    held.
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
        return Grammar.lark(self.lark.text(), self._parts())

    def _parts(self) -> dict[str, Grammar]:
        """The grammar of the answer, and beside it what that refers to."""
        if self.grammar is None or self._has_to_call:
            return {}
        inside = dict(self.grammar.parts)
        return {self._answer_name: attrs.evolve(self.grammar, parts=()), **inside}

    @property
    def _answer_name(self) -> str:
        taken = dict(self.grammar.parts) if self.grammar is not None else {}
        return next(name for name in (f"{ANSWER}{'_' * times}" for times in range(len(taken) + 1)) if name not in taken)

    @property
    def _has_to_call(self) -> bool:
        return self.choice.mode == "required"

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
                blanks = self._blanks() if head == _head(way) else ""
                alternatives.append(f"{blanks} {nothing} {self._calls(way, head)}".strip())
            if self.syntax.harmony and not self._has_to_call:
                open, close = HARMONY_PREAMBLE
                said = f"{self.lark.literal(open)} {self.lark.until(close, without=self._ends)}"
                alternatives.append(f"{said} {self._calls(calls, _head(calls))}")
        if self._has_to_call:
            assert alternatives, "required without tools"
        elif self.grammar is not None:
            alternatives.append(self._content(f"@{self._answer_name}"))
        else:
            alternatives += self._prose(calls)
        return self.lark.rule(" | ".join(alternatives))

    def _content(self, inside: str) -> str:
        """Something between the marks of an answer."""
        return f"{self._content_open()} {inside} {self.lark.literal(self.syntax.content_close)}".strip()

    def _content_open(self) -> str:
        """The mark before an answer, as far as it is not there already."""
        open = self.syntax.content_open.strip()
        return self._told(self.syntax.content_open) if open and not self.prefill.rstrip().endswith(open) else ""

    def _prose(self, calls: CallSyntax | None) -> list[str]:
        """Text, and text with calls after it. Wherever a reader would find the beginning of a call in it, a call
        follows; marks that are tokens of the model are not spelled out."""
        close = self.syntax.content_close
        if calls is None:
            return [self._content(self.lark.free(without=self._ends))]
        head = _head(calls)
        begins = beginnings(calls, [tool.name for tool in self.tools])
        spelled = [*(begin for begin in begins if self.lark.token(begin) is not None), *self._ends]
        ways: list[str] = []
        if is_mark(close):  # the text has an end of its own
            text = self.lark.until(close, without=[*begins, *self._ends])
            ways.append(f"{self._content_open()} {text}".strip())
            ways.append(f"{ways[0]} {self._blanks()} {self._calls(calls, head)}")
        # calls that begin like any text: such text may not begin like them
        first = "" if is_mark(head) else f"[^\\s{escaped_pattern(head.strip()[:1] or '{')}]"
        text = self._content(self.lark.free(f"{first}{ANY_TEXT}", spelled))
        ways.append(text)
        if self.lark.token(head.lstrip()) is not None:
            ways.append(f"{text} {self._calls(calls, head)}")
        for begin in begins:
            if self.lark.token(begin) is None:
                upto = self.lark.upto(begin, f"{first}{ANY_TEXT}", spelled)
                ways.append(self._content(f"{upto} {self._calls(calls, head.lstrip(), begin)}"))
        return ways

    @property
    def _ends(self) -> Sequence[str]:
        """What may not be spelled in any text, because it ends one."""
        return ENDS if self.syntax.harmony else ()

    def _calls(self, calls: CallSyntax, head: str, begun: str = "") -> str:
        """Calls, of which `head` is the beginning, and `begun` is there already."""
        each = self.lark.rule(" | ".join(self._joined(self._call(calls, tool)) for tool in self.tools))
        first = f"{self.lark.literal(head)} {each}"
        if begun:
            beginning = [_after(begun, [_Told(head), *self._call(calls, tool)]) for tool in self.tools]
            first = self.lark.rule(" | ".join(self._joined(pieces) for pieces in beginning if pieces is not None))
        more = ""
        if self.parallel and calls.parallel:
            between = self.lark.literal(calls.between + _own_head(calls))
            more = f"({between} {each}){{0,{MOST_CALLS - 1}}}"
        return " ".join(filter(None, [first, more, self.lark.literal(calls.close)]))

    def _joined(self, pieces: Sequence[Piece]) -> str:
        return self.lark.rule(" ".join(filter(None, map(self._piece, pieces))))

    def _piece(self, piece: Piece) -> str:
        if isinstance(piece, _Told):
            return self.lark.plain(piece.text) if piece.given else self.lark.literal(piece.text)
        return piece

    def _call(self, calls: CallSyntax, tool: Tool) -> list[Piece]:
        """A call of one tool, without what every call begins with."""
        parts = calls.call if isinstance(calls.call[0], Slot) else calls.call[1:]
        return [piece for part in parts for piece in self._part(calls, tool, part)]

    def _part(self, calls: CallSyntax, tool: Tool, part: Any) -> list[Piece]:
        match part:
            case Slot.OBJECT:
                return self._object(calls, tool)
            case Slot.NAME:
                return [_Told(tool.name, given=True)]
            case Slot.ID if calls.id_form and Slot.NAME not in calls.call:
                before, _, after = calls.id_form.format(name=tool.name, index="\0").partition("\0")
                return [_Told(before, given=True), self.lark.terminal("/[0-9]{1,2}/"), _Told(after)]
            case Slot.ID:
                return [self.lark.terminal("/[A-Za-z0-9]{9}/")]
            case Slot.INDEX:
                return [self.lark.terminal("/[0-9]{1,2}/")]
            case Slot.ARGUMENTS:
                return [ArgumentGrammar(self.lark, calls.arguments, tool).arguments()]
            case _:
                return [_Told(part)]

    def _object(self, calls: CallSyntax, tool: Tool) -> list[Piece]:
        """A call that is a JSON object, as the template writes it."""
        written: list[Piece] = []
        frame = list(calls.frame or frame_of(calls))
        for place, part in enumerate(frame):
            match part:
                case Slot.NAME:
                    written.append(_Told(json.dumps(tool.name, ensure_ascii=False)[1:-1], given=True))
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
                    written.append(_Told(re.sub(_FIELD, "", str(part)) if ahead is Slot.ID else str(part)))
        return written


def _after(begun: str, pieces: Sequence[Piece]) -> list[Piece] | None:
    """What follows the beginning of a call; None if it does not begin like that."""
    rest: list[Piece] = []
    for piece in pieces:
        if not begun:
            rest.append(piece)
        elif not isinstance(piece, _Told):
            return None
        elif piece.text.startswith(begun):
            rest.append(attrs.evolve(piece, text=piece.text[len(begun) :]))
            begun = ""
        elif begun.startswith(piece.text):
            begun = begun[len(piece.text) :]
        else:
            return None
    return rest


ID = "/[A-Za-z0-9_-]{1,32}/"

_FIELD = re.compile(r',\s*"[^"]+"\s*:\s*"$')
"""The beginning of another field of an object, whose value is a text."""


def _own_head(calls: CallSyntax) -> str:
    return "" if isinstance(calls.call[0], Slot) else calls.call[0]


def _head(calls: CallSyntax) -> str:
    head = calls.open + _own_head(calls)
    return head.lstrip() if is_mark(head) else head
