"""The demo's conversation: what is asked, what comes back."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from sauropod import Completion, Engine, Message, SamplingParams, Tool, ToolCall
from sauropod.cli.asking import ask
from sauropod.cli.figures import speed_line
from sauropod.cli.terminal import print_text, styled
from sauropod.cli.writing import Writing

__all__ = ["Show", "Turn"]

QUESTIONS = (
    "Hello! Who are you?",
    "What is the capital of France?",
    "And of Spain?",
    "My name is Ada.",
    "What is my name?",
    "What is 7 plus 5?",
)

TOOL_QUESTION = "What is the weather in Paris?"

WEATHER = Tool(
    "get_weather",
    "Get the weather in a city.",
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
)

CANNED = '{"temperature": 18, "sky": "sunny"}'
"""What the tool answers. Nothing is looked up, for a demo should not need a network."""

LONGEST_ANSWER = 160


@attrs.frozen
class Turn:
    """A question and its answer."""

    question: str
    completion: Completion

    @property
    def call(self) -> ToolCall | None:
        """The first call of a tool in the answer."""
        return next(iter(self.completion.tool_calls), None)


@attrs.define(eq=False)
class Show:
    """The conversation, shown as it goes unless it is to be `quiet`."""

    engine: Engine
    quiet: bool = False
    turns: list[Turn] = attrs.field(factory=list)

    def perform(self) -> None:
        """All of it: first one conversation, then another one with a tool."""
        messages: list[Message] = []
        for question in QUESTIONS:
            self._show_question(question)
            turn = self._ask(question, [*messages, Message.user(question)])
            messages += [Message.user(question), Message.assistant(turn.completion.text)]
        self._with_tool()

    def _with_tool(self) -> None:
        self._show_question(TOOL_QUESTION, "a new conversation, in which it may call a tool")
        asked = Message.user(TOOL_QUESTION)
        called = self._ask(TOOL_QUESTION, [asked], [WEATHER])
        if called.call is None:
            self._say(f"It did not call {WEATHER.name}, which was offered.")
            return
        self._say(f"{WEATHER.name} is a stand-in: it says {CANNED} and looks nothing up.")
        told = [asked, called.completion.message, Message.tool(CANNED, call=called.call)]
        self._ask(CANNED, told, [WEATHER])

    def _ask(self, question: str, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> Turn:
        """Ask, and write the answer as it comes."""
        answer, sampling = Writing(quiet=self.quiet), SamplingParams(max_tokens=LONGEST_ANSWER)
        completion = ask(self.engine, messages, answer.take, tools=tools, sampling=sampling)
        self._show(" ...\n" if completion.stop_reason == "max_tokens" else "\n")
        self._say(speed_line(completion))
        self.turns.append(Turn(question, completion))
        return self.turns[-1]

    def _show_question(self, question: str, aside: str = "") -> None:
        self._show("\n" + styled(f"> {question}", "bold") + styled(f"   ({aside})" * bool(aside), "dim") + "\n")

    def _say(self, text: str) -> None:
        self._show(styled(f"  {text}", "dim") + "\n")

    def _show(self, text: str) -> None:
        if not self.quiet:
            print_text(text)
