"""A model file's chat template: a conversation in, the text the model was trained on out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import attrs
import jinja2
from jinja2.exceptions import SecurityError

from sauropod._values.messages import Message, Tool
from sauropod.backends.llama_cpp.dialect import Dialect, Said, learn
from sauropod.backends.llama_cpp.sandbox import Sandbox, TemplateTooCostly
from sauropod.errors import UnsupportedInput

__all__ = ["ChatTemplate"]

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
    seconds: float = SECONDS
    _sandbox: Sandbox = attrs.field(init=False, factory=Sandbox)
    _template: jinja2.Template = attrs.field(init=False)
    _dialect: Dialect = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if len(self.source) > LARGEST_SOURCE:
            raise UnsupportedInput(f"The chat template is {len(self.source):,} characters; no real one is that long.")
        try:
            self._template = self._sandbox.from_string(self.source)
        except (jinja2.TemplateError, MemoryError, RecursionError, SyntaxError, ValueError) as error:
            raise UnsupportedInput(
                f"The model's chat template cannot be read ({error}). Give a working one with chat_template=…"
            ) from error
        self._dialect = learn(self._try, self.source)

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), options: Mapping[str, Any] | None = None
    ) -> str:
        """The conversation up to where the answer begins. Raises `UnsupportedInput` if the template refuses."""
        with _translated():
            return self._run(self._dialect.tell(messages, tools), self._dialect.tools(tools), options or {})

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


_OLD_NAMES: Mapping[str, Callable[[Sequence[Any]], str]] = {
    "functions": lambda tools: json.dumps([tool["function"] for tool in tools], indent=4),
    "datetime": lambda _: datetime.now().strftime("%b %d %Y %H:%M:%S"),
}
"""Texts that templates were given before there were `tools` and `strftime_now`."""

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
