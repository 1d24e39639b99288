"""How a model writes calls and thoughts, read off its chat template.

Nothing is known of model families here. Small conversations are rendered in which every name, key and value is a word
that nobody writes, and what stands between these words is how this template writes. What a template does not show,
because it leaves something out, is looked for in what it tells the model and in `exceptions`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from sauropod._text.atoms import atoms, common_prefix, common_suffix, first_mark, is_mark, without
from sauropod._text.call_syntax import derive_calls
from sauropod._text.exceptions import GENERIC, HARMONY, is_harmony, told_calls
from sauropod._text.pairs import THOUGHTS, counterpart, ending
from sauropod._text.probes import ANSWER, FIRST, RESULT, THOUGHT, Probes, Render
from sauropod._text.turn import SWITCHES, Turn
from sauropod._values.messages import Message
from sauropod._values.syntax import CallSyntax, Part, ReasoningSyntax, Slot, Syntax, SyntaxOrigin

__all__ = ["derive"]

LEVELS = ("reasoning_effort", "thinking_effort", "reasoning_strength")
"""The variables by which templates are told how hard the model is to think."""

EFFORTS = ("minimal", "low", "medium", "high", "max")
NO_EFFORT = ("none", "no_think")

_THINKING = re.compile("think|thought|reason|inner", re.IGNORECASE)
"""What marks of thoughts are called."""


def derive(render: Render, ends: Iterable[str] = ()) -> Syntax:
    """The syntax of the model whose template `render` applies. `ends` are the marks that end its turn.

    Never fails: what it cannot make sense of, it leaves out.
    """
    probes = Probes(render)
    prompt = probes.prompt() or ""
    if is_harmony(prompt):
        assert HARMONY.reasoning is not None
        return attrs.evolve(HARMONY, reasoning=_with_efforts(HARMONY.reasoning, probes))
    told = told_calls(prompt, probes.prompt(tools=()) or "")
    overruled = told is not None and "```" in told.head  # by a system prompt, which the template knows nothing of
    turn = calls = None
    for followed in (False, True):
        turn = Turn.of(attrs.evolve(probes, followed=followed), tuple(ends)) or turn
        if turn is None or overruled:
            break
        calls = derive_calls(turn)
        if calls is not None:
            break
    else:
        turn = Turn.of(probes, tuple(ends))
    if turn is None:
        return Syntax(calls=GENERIC)
    reasoning = _reasoning(turn)
    content_open, content_close = _content(turn, reasoning)
    if calls is not None:
        calls = _without_others(calls, reasoning, content_open, content_close)
    elif not (calls := told or GENERIC).results or not _has_results(probes):
        calls = attrs.evolve(calls, results=False)
    return Syntax(
        reasoning=_with_efforts(reasoning, probes) if reasoning else None,
        calls=calls,
        content_open=content_open,
        content_close=content_close,
        prefills=_telling(turn.prefills, reasoning, content_open, calls),
    )


def _telling(
    prefills: Iterable[str], reasoning: ReasoningSyntax | None, content_open: str, calls: CallSyntax
) -> tuple[str, ...]:
    """Ends of prompts that say something of what comes then: with a mark in them, or the beginning of one."""
    marks = [reasoning.open, reasoning.close] if reasoning else []
    begins = [content_open.strip(), calls.head.strip()]
    return tuple(
        prefill
        for prefill in prefills
        if any(mark and mark in prefill for mark in marks)
        or any(begin and (begin.startswith(prefill.strip()) or begin in prefill) for begin in begins)
    )


def _has_results(probes: Probes) -> bool:
    """Whether the template has a place for results, though it leaves calls out."""
    text = probes.prompt(Message.assistant(ANSWER), Message.tool(RESULT, call=FIRST.call))
    return text is not None and RESULT in text


# -- thoughts ----------------------------------------------------------------------------------------------------------


def _reasoning(turn: Turn) -> ReasoningSyntax | None:
    """How thoughts are written: as the template writes them, or as it removes them, or as it begins them."""
    shown = _shown(turn)
    if shown is not None:
        return shown
    for prefill in turn.prefills:
        open = first_mark(prefill).strip()
        if _THINKING.search(open) and is_mark(open) and (close := counterpart(open)):
            return ReasoningSyntax(open=open, close=close)
    for open, close in THOUGHTS:
        text = turn.body(turn.probes.answer(content=f"{open}{THOUGHT}{close}{ANSWER}"))
        if text is not None and THOUGHT not in text and ANSWER in text:
            return ReasoningSyntax(open=open, close=close)
    prompts = "".join(filter(None, (turn.probes.prompt(), *(turn.probes.prompt(**{name: True}) for name in SWITCHES))))
    for open, close in THOUGHTS:
        if open in prompts and close in prompts:
            return ReasoningSyntax(open=open, close=close, origin=SyntaxOrigin.PROMPT)
    return None


def _shown(turn: Turn) -> ReasoningSyntax | None:
    """Thoughts as the template writes them, if it does."""
    options: tuple[Mapping[str, Any], ...] = ({}, *({name: True} for name in SWITCHES))
    for variables in options:
        beside_answer = turn.body(turn.probes.answer(THOUGHT, **variables))
        beside_call = turn.body(turn.probes.calls(FIRST, reasoning=THOUGHT, **variables))
        if beside_answer is not None and THOUGHT in beside_answer:
            break
        if beside_call is not None and THOUGHT in beside_call:
            beside_answer = None
            break
    else:
        return None
    text = beside_answer or beside_call or ""
    open = _without_layout(text[: text.find(THOUGHT)])
    before_answer, before_call = (
        _between(beside_answer, THOUGHT, ANSWER),
        _between(beside_call, THOUGHT, _first(beside_call)),
    )
    if not open:
        open = next(iter(turn.prefills), "").strip()
    ending = "".join(map(str, _close(turn, open, before_answer, before_call, variables)))
    return ReasoningSyntax(open=open, close=ending.strip(), ending=ending)


def _close(
    turn: Turn,
    open: str,
    before_answer: list[Part] | None,
    before_call: list[Part] | None,
    variables: Mapping[str, Any],
) -> list[Part]:
    """What ends thoughts, of what stands between them and an answer or a call."""
    before = before_answer or before_call or []
    text = "".join(map(str, before))
    if pair := ending(open, text):
        end = text.find(pair) + len(pair)
        return [text[: len(text) - len(text[end:].lstrip())]]
    plain = turn.probes.answer(**variables) if before_answer else turn.probes.calls(FIRST, **variables)
    body = turn.body(plain) or ""
    lead = atoms(body.partition(ANSWER if before_answer else _first(body))[0])
    if not first_mark(open) or first_mark(open) not in lead:
        return without(before, suffix=common_suffix(before, lead))
    return (common_prefix(before_answer, before_call) if before_answer and before_call else []) or before


def _without_layout(text: str) -> str:
    """Without blanks around it, but for one that is part of a beginning that is no mark."""
    stripped = text.strip()
    return f" {stripped}" if text.strip("\n").startswith(" ") and stripped[:1].isalpha() else stripped


def _first(text: str | None) -> str:
    """What is there of a call that comes first: its name, or its id."""
    places = {word: (text or "").find(word) for word in (FIRST.name, FIRST.id)}
    return min(places, key=lambda word: places[word] if places[word] >= 0 else len(text or ""))


def _between(text: str | None, begin: str, end: str) -> list[Part] | None:
    if text is None or begin not in text or end not in text:
        return None
    return atoms(text[text.find(begin) + len(begin) : text.find(end)])


def _with_efforts(reasoning: ReasoningSyntax, probes: Probes) -> ReasoningSyntax:
    """With the variables that say how hard to think, as far as they change the prompt."""
    efforts: dict[str, Mapping[str, Any]] = {}
    on: dict[str, Any] = {}
    for name in SWITCHES:
        thinking, answering = (probes.prompt(**{name: value}) for value in (True, False))
        if None not in (thinking, answering) and thinking != answering:
            on, efforts["none"] = {name: True}, {name: False}
            break
    for name in LEVELS:
        told = {level: probes.prompt(**on, **{name: level}) for level in (*EFFORTS, *NO_EFFORT)}
        if told["low"] is not None and told["high"] is not None and told["low"] != told["high"]:
            efforts |= {level: {**on, name: level} for level in EFFORTS if told[level] is not None}
            off = next((level for level in NO_EFFORT if _closes(told[level], reasoning)), None)
            if off is not None and "none" not in efforts and not _closes(told["high"], reasoning):
                efforts["none"] = {name: off}
            break
    else:
        efforts |= {level: on for level in ("low", "medium", "high") if on}
    return attrs.evolve(reasoning, efforts=efforts)


def _closes(prompt: str | None, reasoning: ReasoningSyntax) -> bool:
    return prompt is not None and bool(reasoning.close) and prompt.rstrip().endswith(reasoning.close)


# -- answers -----------------------------------------------------------------------------------------------------------


def _content(turn: Turn, reasoning: ReasoningSyntax | None) -> tuple[str, str]:
    """The marks around an answer."""
    before, close, after = turn.answer_marks
    open = _without_any(before, [reasoning.open, reasoning.close] if reasoning else ())
    if not open.strip():
        return (before if before.isspace() else ""), close
    if close:
        return open, close
    calls = turn.body(turn.probes.calls(FIRST))
    rest = without(atoms(after), suffix=common_suffix(atoms(after), atoms(calls or "")))
    close = "".join(map(str, rest)).strip()
    return open, close if calls and is_mark(close) and close not in turn.ends else ""


def _without_any(text: str, marks: Iterable[str]) -> str:
    marks = [mark for mark in marks if mark]
    while found := next((mark for mark in marks if text.lstrip().startswith(mark)), None):
        text = text.lstrip()[len(found) :]
    return text


def _without_others(
    calls: CallSyntax, reasoning: ReasoningSyntax | None, content_open: str, content_close: str
) -> CallSyntax:
    """Calls without what stands before them and belongs to thoughts or to an answer."""
    marks = [reasoning.open, reasoning.close] if reasoning else []
    marks += [content_open.strip(), content_close]
    if calls.open.strip():
        return attrs.evolve(calls, open=_without_any(calls.open, marks).lstrip())
    first = calls.call[0]
    if isinstance(first, Slot) or not is_mark(first):
        return calls
    head = _without_any(first, marks)
    blanks = head[: len(head) - len(head.lstrip())]  # which stand before every call
    rest = (head.lstrip(), *calls.call[1:]) if head.strip() else calls.call[1:]
    return attrs.evolve(calls, call=rest, between=calls.between + blanks if calls.parallel else "")
