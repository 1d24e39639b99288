"""Round trips over chat templates: what a template writes of an answer has to be read as that answer.

    python tests/round_trip.py FILE_OR_DIRECTORY ...

Prints for each template how many of the cases came back the same, and what is different of the others. A case that the
template itself refuses, or of which it leaves something out, is not counted.
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs

from answers import Heard, heard
from sauropod import Message, Tool, ToolCall, UnsupportedInput
from sauropod._text.conversation import adapted
from sauropod._text.output import OutputParser
from sauropod._text.probes import USER, Probes
from sauropod._text.syntax import derive
from sauropod._text.turn import SWITCHES, Turn
from sauropod._values.syntax import Syntax, Values
from sauropod.backends.llama_cpp.template import ChatTemplate

__all__ = ["CASES", "TOOLS", "Family", "Trip", "said_in"]

SPLITS = 6

ENDS = (
    *("</s>", "<eos>", "<EOT>", "<|EOT|>", "<|im_end|>", "<|end|>", "<|eot|>", "<|eot_id|>", "<|eom_id|>"),
    *("<|endoftext|>", "<|end_of_text|>", "<|return|>", "<|call|>", "<|calls|>", "<|flush|>", "<end_of_turn>"),
    *("<turn|>", "<|tool_response>", "<|END_OF_TURN_TOKEN|>", "<|message_model|>", "[e~[", "<tool_response>"),
)
"""Marks that end a model's turn: tokens at which a model stops, so that its text has none of them."""

WEATHER = Tool(
    "get_weather",
    "Tells the weather.",
    {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where."},
            "days": {"type": "integer", "description": "How far ahead."},
            "dry": {"type": "boolean", "description": "Whether rain is left out."},
            "zip": {"type": "string", "description": "A code."},
            "tags": {"type": "array", "items": {"type": "string"}, "description": "Words."},
            "more": {
                "type": "object",
                "description": "Anything else.",
                "properties": {
                    "deep": {
                        "type": "object",
                        "properties": {"numbers": {"type": "array", "items": {"type": "number"}}},
                        "required": ["numbers"],
                        "additionalProperties": False,
                    },
                    "word": {"type": "string"},
                },
            },
        },
        "required": ["city"],
    },
)
TIME = Tool(
    "get_time",
    "Tells the time.",
    {
        "type": "object",
        "properties": {"zone": {"type": "string", "description": "Of the clock."}},
        "required": ["zone"],
    },
)
NOW = Tool("now", "Tells what is now.", {"type": "object", "properties": {}})
TOOLS = (WEATHER, TIME, NOW)

ARGUMENTS: Mapping[str, Any] = {
    "city": "São \"P\" <b> & {x} 'q'",
    "days": 3,
    "dry": True,
    "zip": "01234",
    "tags": ["a", "b c"],
    "more": {"deep": {"numbers": [1, 2.5]}, "word": "x"},
}

FIRST, SECOND = ToolCall("get_weather", ARGUMENTS, "abcdefgh1"), ToolCall("get_time", {"zone": "CET"}, "abcdefgh2")

CASES: Mapping[str, Message] = {
    "a call": Message.assistant(tool_calls=[FIRST]),
    "two calls": Message.assistant(tool_calls=[FIRST, SECOND]),
    "a call without arguments": Message.assistant(tool_calls=[ToolCall("now", {}, "abcdefgh1")]),
    "a call after text": Message.assistant(
        "I will look\nit up.", tool_calls=[ToolCall("get_time", {"zone": "two\nlines\n"}, "abcdefgh1")]
    ),
    "thoughts": Message("assistant", "The answer\n\nis 4.", reasoning="Let me\n\nthink <b>."),
    "a call after thoughts": Message("assistant", "", tool_calls=[SECOND], reasoning="Hm."),
    "text": Message.assistant('Just a <text> with {"json": 1} in it.\n\n- x'),
}


@attrs.frozen
class Trip:
    """What came of one case."""

    case: str
    expected: Heard
    found: Heard
    body: str
    """What the template wrote of the answer."""
    prefill: str

    @property
    def same(self) -> bool:
        return self.found == self.expected

    def __str__(self) -> str:
        return f"{self.case}: {self.found}, not {self.expected}, of {self.body!r}"


@attrs.define
class Family:
    """A template, and what is read off it."""

    template: ChatTemplate
    syntax: Syntax
    _turn: Turn

    @classmethod
    def of(cls, source: str, eos: str = "") -> Family:
        """Raises `UnsupportedInput` or `ValueError` for a template that is none."""
        eos = eos or next((mark for mark in ("<｜end▁of▁sentence｜>",) if mark in source), "<eos>")
        template = ChatTemplate(source, "<bos>", eos)
        ends = (eos, *ENDS)
        render = lambda messages, tools, options: template.render(messages, tools, options)  # noqa: E731
        turn = Turn.of(Probes(render), ends)
        if turn is None:
            raise ValueError("it does not show what the model says")
        return cls(template, derive(render, ends), turn)

    def trips(self, generator: random.Random) -> Iterator[Trip]:
        """Every case that the template does not refuse."""
        for case, message in CASES.items():
            try:
                body, prefill = self.body_of(message)
            except UnsupportedInput:
                continue
            if message.reasoning and message.reasoning not in body and self.syntax.reasoning is not None:
                body, prefill = self._with_thoughts(message.reasoning, body), ""
            expected = self._expected(message, body)
            yield Trip(case, expected, self._found(body, prefill, generator), body, prefill)

    def body_of(self, message: Message) -> tuple[str, str]:
        """What the template writes of an answer, without what ends the turn, and how its prompt had begun it."""
        variants: list[tuple[str, str]] = []
        for options in ({}, *({name: True} for name in SWITCHES)):
            prompt = self._render([], options)
            full = self._render([message], {**options, "add_generation_prompt": False})
            variants.append((prompt, full))
        shown = [each for each in variants if message.reasoning and message.reasoning in each[1]]
        prompt, full = (shown or variants)[0]
        if full.startswith(prompt):
            prefill = next((each for each in self.syntax.prefills if prompt.endswith(each)), "")
            return self._without_end(full[len(prompt) :]), prefill
        body = self._turn.body(full)
        if body is None:
            raise UnsupportedInput("the answer is nowhere in it")
        return self._without_end(body), ""

    def _with_thoughts(self, thoughts: str, body: str) -> str:
        """An answer with the thoughts that the template leaves out of it later, as the model writes them."""
        reasoning = self.syntax.reasoning
        assert reasoning is not None
        return f"{reasoning.open}{thoughts}{reasoning.ending}{body.lstrip().removeprefix(reasoning.close).lstrip()}"

    def _render(self, more: Sequence[Message], options: Mapping[str, Any]) -> str:
        messages, tools = adapted([Message.user(USER), *more], TOOLS, self.syntax.calls)
        return self.template.render(messages, tools, options)

    def _without_end(self, body: str) -> str:
        end = self._turn.answer_marks[2]
        if self.syntax.content_close:
            end = end.lstrip().removeprefix(self.syntax.content_close)
        if end.strip() and end.rstrip() in body:
            body = body[: body.rindex(end.rstrip())]
        body = body.partition(self.template.eos)[0]
        while mark := next((mark for mark in ENDS if body.rstrip().endswith(mark)), ""):
            body = body.rstrip().removesuffix(mark)
        return body

    def _expected(self, message: Message, body: str) -> Heard:
        """The answer, as far as the template wrote it."""
        calls = [call for call in message.tool_calls if call.name in body]
        reasoning = message.reasoning if message.reasoning and message.reasoning in body else ""
        return Heard(message.content if message.content in body else "", reasoning, _without_ids(calls))

    def _found(self, body: str, prefill: str, generator: random.Random) -> Heard:
        """What is read of it: cut nowhere, everywhere, and anywhere, which has to be the same."""
        longest = [len(body) + 1, 1, *[12] * (SPLITS - 2)]
        answers = [heard(self._parsed(list(_cut(body, most, generator)), prefill)) for most in longest]
        assert all(answer == answers[0] for answer in answers), f"where {body!r} is cut makes a difference"
        return attrs.evolve(answers[0], calls=_without_ids(answers[0].calls))

    def _parsed(self, pieces: Sequence[str], prefill: str) -> list[Any]:
        numbers = itertools.count()
        parser = OutputParser(self.syntax, TOOLS, lambda: f"id{next(numbers)}", prefill=prefill)
        return [*itertools.chain.from_iterable(map(parser.feed, pieces)), *parser.finish()]


def _cut(text: str, most: int, generator: random.Random) -> Iterator[str]:
    """The text in pieces of at most so many characters; of just as many, if that is one or all."""
    place = 0
    while place < len(text):
        size = most if most == 1 or most > len(text) else generator.randint(1, most)
        yield text[place : place + size]
        place += size


def _without_ids(calls: Sequence[ToolCall]) -> list[ToolCall]:
    return [attrs.evolve(call, arguments=dict(call.arguments), id=None) for call in calls]


def said_in(syntax: Syntax) -> str:
    """A line about a syntax."""
    calls, reasoning = syntax.calls, syntax.reasoning
    if calls is None:
        return "no calls"
    arguments = calls.arguments.values if calls.arguments.each else Values.JSON
    thoughts = f", thoughts in {reasoning.open or '(nothing)'} … {reasoning.close}" if reasoning else ""
    return f"calls by {calls.origin}, arguments as {arguments}{thoughts}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    generator = random.Random(given.seed)
    tried = same = templates = whole = 0
    files = [file for path in given.paths for file in (sorted(path.glob("*.jinja")) if path.is_dir() else [path])]
    for file in files:
        try:
            began = time.perf_counter()
            family = Family.of(file.read_text(encoding="utf-8"))
            seconds = time.perf_counter() - began
        except (UnsupportedInput, ValueError) as error:
            print(f"   -  {file.stem}: {error}")
            continue
        trips = list(family.trips(generator))
        right = sum(trip.same for trip in trips)
        tried, same, templates, whole = tried + len(trips), same + right, templates + 1, whole + (right == len(trips))
        print(f"{right:2}/{len(trips)} {file.stem}: {said_in(family.syntax)} ({seconds * 1000:.0f} ms)")
        for trip in trips:
            if not trip.same:
                print(f"        {trip}"[:400])
    print(f"{templates} templates, {whole} of them without a difference; {same} of {tried} cases came back the same")


if __name__ == "__main__":
    main()
