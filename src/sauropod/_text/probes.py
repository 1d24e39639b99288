"""Small conversations with words in them that nobody writes, and what a chat template makes of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from sauropod._values.messages import Message, Tool, ToolCall

__all__ = ["ANSWER", "FIRST", "RESULT", "SECOND", "THOUGHT", "TOOLS", "USER", "Probe", "Probes", "Render"]

Render = Callable[[Sequence[Message], Sequence[Tool], Mapping[str, Any]], str]
"""A conversation, tools and variables of the template in, the text up to where the model goes on out."""

USER, ANSWER, THOUGHT, RESULT = "zqquestion", "zqanswer", "zqthought", "zqresult"


@attrs.frozen
class Probe:
    """A tool that is called, with two arguments."""

    name: str
    id: str
    keys: tuple[str, str]
    values: tuple[Any, Any]

    @property
    def call(self) -> ToolCall:
        return ToolCall(self.name, self.arguments, self.id)

    @property
    def arguments(self) -> dict[str, Any]:
        return dict(zip(self.keys, self.values, strict=True))

    @property
    def tool(self) -> Tool:
        properties = {key: {"type": "string", "description": "A word."} for key in self.keys}
        return Tool(
            self.name, "Does something.", {"type": "object", "properties": properties, "required": [*self.keys]}
        )

    def saying(self, value: Any) -> Probe:
        """The same with another first value."""
        return attrs.evolve(self, values=(value, self.values[1]))


FIRST = Probe("zqfirst_tool", "zQ1aB2cD3", ("zqalpha", "zqbeta"), (815101, 815102))
SECOND = Probe("zqsecond_tool", "zQ4eF5gH6", ("zqgamma", "zqdelta"), (815103, 815104))
"""Their values are numbers, because these look the same everywhere."""
TOOLS = (FIRST.tool, SECOND.tool)


@attrs.define
class Probes:
    """Renders them. None stands for what the template refuses."""

    render: Render
    followed: bool = False
    """Whether what the model says is never the last there is, which some templates take for a beginning to go on
    with."""

    def prompt(self, *messages: Message, tools: Any = TOOLS, **options: Any) -> str | None:
        """The text up to where the model goes on. `options` are variables of the template."""
        try:
            return self.render([Message.user(USER), *messages], tools, options)
        except Exception:  # a template, or a plug-in's own code, that knows no tools
            return None

    def said(self, message: Message, tools: Any = TOOLS, **options: Any) -> str | None:
        """The text up to the end of what the model said, or somewhat further where the template goes on by itself."""
        last = self.prompt(message, tools=tools, add_generation_prompt=False, **options)
        if last is not None and not self.followed:
            return last
        results = [Message.tool(RESULT, call=call) for call in message.tool_calls]
        followed = self.prompt(message, *results, Message.user(USER), tools=tools, **options)
        if followed is None:
            return None
        return followed[: followed.find(RESULT) if results else followed.rfind(USER)]

    def calls(self, *probes: Probe, content: str = "", reasoning: str | None = None, **options: Any) -> str | None:
        message = Message("assistant", content, tool_calls=[probe.call for probe in probes], reasoning=reasoning)
        return self.said(message, **options)

    def answer(self, reasoning: str | None = None, content: str = ANSWER, **options: Any) -> str | None:
        return self.said(Message("assistant", content, reasoning=reasoning), **options)

    def after_results(self, *probes: Probe, **options: Any) -> str | None:
        """The prompt for what the model says of results."""
        calling = Message.assistant(tool_calls=[probe.call for probe in probes])
        return self.prompt(calling, *(Message.tool(RESULT, call=probe.call) for probe in probes), **options)
