"""A model file's chat template: a conversation in, the text the model was trained on out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import attrs
import jinja2
import jinja2.meta
from jinja2.exceptions import SecurityError

from sauropod._values.messages import Message, Tool
from sauropod.backends.llama_cpp.dialect import Dialect, Said, learn
from sauropod.backends.llama_cpp.sandbox import Sandbox, TemplateTooCostly
from sauropod.errors import UnsupportedInput

__all__ = ["ChatTemplate", "ToolTemplates"]

SECONDS = 2.0
LARGEST_SOURCE = 100_000
"""Characters. Compiling as many takes seconds, where they are all expressions; real templates have a third of them."""


@attrs.define(eq=False)
class ChatTemplate:
    """Turns a conversation into the text a model was trained on.

    Raises `UnsupportedInput` if the template cannot be read, or runs away on the simplest conversation.
    """

    source: str
    bos: str = ""
    eos: str = ""
    system_prompt: str = ""
    """What the system says where nobody says what: a template itself, which may use `tools`."""
    seconds: float = SECONDS
    _sandbox: Sandbox = attrs.field(init=False, factory=Sandbox)
    _template: jinja2.Template = attrs.field(init=False)
    _system: jinja2.Template | None = attrs.field(init=False, default=None)
    _system_tells_of_tools: bool = attrs.field(init=False, default=False)
    _dialect: Dialect = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self._template = self._compiled(self.source, "The model's chat template", "chat_template")
        self._dialect = learn(self._try, self.source)
        if self.system_prompt:
            self._system = self._compiled(self.system_prompt, "The system prompt", "system_prompt")
            tree = self._sandbox.parse(self.system_prompt)
            self._system_tells_of_tools = "tools" in jinja2.meta.find_undeclared_variables(tree)

    def _compiled(self, source: str, what: str, option: str) -> jinja2.Template:
        if len(source) > LARGEST_SOURCE:
            raise UnsupportedInput(f"{what} is {len(source):,} characters; no real one is that long.")
        try:
            return self._sandbox.from_string(source)
        except (jinja2.TemplateError, MemoryError, RecursionError, SyntaxError, ValueError) as error:
            raise UnsupportedInput(f"{what} cannot be read ({error}). Give a working one with {option}=…") from error

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), options: Mapping[str, Any] | None = None
    ) -> str:
        """The conversation up to where the answer begins. Raises `UnsupportedInput` if the template refuses."""
        with _translated():
            if self._system is not None:
                messages, tools = self._instructed(messages, tools, options or {})
            return self._run(self._dialect.tell(messages, tools), self._dialect.tools(tools), options or {})

    def _instructed(
        self, messages: Sequence[Message], tools: Sequence[Tool], options: Mapping[str, Any]
    ) -> tuple[Sequence[Message], Sequence[Tool]]:
        """With the system prompt. What the system says otherwise replaces it, or follows it where it tells of tools."""
        assert self._system is not None
        own = bool(messages) and messages[0].role in ("system", "developer")
        tells = self._system_tells_of_tools and bool(tools)
        if own and not tells:
            return messages, tools
        described = ToolList(self._dialect.tools(tools) or ())
        said = self._sandbox.run(self._system, {"tools": described, **options}, self.seconds).strip()
        rest = messages[1:] if own else messages
        said = f"{said}\n\n{messages[0].content}" if own else said
        return [Message.system(said), *rest], () if tells else tools

    def _try(self, messages: list[Said], tools: Sequence[Any] | None) -> str | None:
        """What the template makes of these messages; None if it refuses them."""
        with _translated():
            try:
                return self._run(messages, tools, {})
            except (jinja2.TemplateError, *_FAILURES):
                return None

    def _run(self, messages: list[Said], tools: Sequence[Any] | None, options: Mapping[str, Any]) -> str:
        variables = {
            "messages": messages,
            "tools": tools,
            "documents": None,
            "add_generation_prompt": True,
            "bos_token": self.bos,
            "eos_token": self.eos,
            **options,
        }
        for name, make in _OLD_NAMES.items():
            if name in self.source:
                variables.setdefault(name, make(tools or ()))
        return self._sandbox.run(self._template, variables, self.seconds)


@attrs.frozen
class ToolTemplates:
    """Two templates of one model: one for conversations with tools in them, and one for all others."""

    plain: ChatTemplate
    with_tools: ChatTemplate

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), options: Mapping[str, Any] | None = None
    ) -> str:
        """As `ChatTemplate.render`."""
        uses_tools = bool(tools) or any(message.tool_calls or message.role == "tool" for message in messages)
        return (self.with_tools if uses_tools else self.plain).render(messages, tools, options)


_OLD_NAMES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "functions": lambda tools: json.dumps([tool["function"] for tool in tools], indent=4),
    "datetime": lambda _: datetime.now().strftime("%b %d %Y %H:%M:%S"),
}
"""Texts that templates were given before there were `tools` and `strftime_now`."""


class ToolList(list[Any]):
    """Tools as a system prompt finds them. Without any it is equal to `"[]"` too, to which older prompts compare it."""

    def __eq__(self, other: object) -> bool:
        return (other == "[]" and not self) or super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None


_FAILURES = (ArithmeticError, AttributeError, LookupError, MemoryError, RecursionError, TypeError, ValueError)
"""What a template's own mistakes raise."""


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except TemplateTooCostly as error:
        raise UnsupportedInput(f"The model's chat template was stopped: {error}.") from error
    except SecurityError as error:
        raise UnsupportedInput(f"The model's chat template tried something forbidden: {error}.") from error
    except jinja2.TemplateError as error:
        raise UnsupportedInput(f"The model's chat template refuses this conversation: {error}") from error
    except _FAILURES as error:
        raise UnsupportedInput(
            f"The model's chat template failed on this conversation ({type(error).__name__}: {error})."
        ) from error
