"""A model file's chat template: a conversation in, the text the model was trained on out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import attrs
import jinja2
from jinja2.exceptions import SecurityError

from sauropod._values.messages import Message, Tool
from sauropod.backends.llama_cpp.sandbox import Sandbox, TemplateTooCostly
from sauropod.errors import UnsupportedInput

__all__ = ["ChatTemplate"]

SECONDS = 2.0
LARGEST_SOURCE = 100_000
"""Characters. Compiling as many takes seconds, where they are all expressions; real templates have a third of them."""
_SENTINEL = "sauropod was here"


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
    _wants_parts: bool = attrs.field(init=False)
    _knows_system: bool = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        if len(self.source) > LARGEST_SOURCE:
            raise UnsupportedInput(f"The chat template is {len(self.source):,} characters; no real one is that long.")
        try:
            self._template = self._sandbox.from_string(self.source)
        except (jinja2.TemplateError, MemoryError, RecursionError, SyntaxError, ValueError) as error:
            raise UnsupportedInput(
                f"The model's chat template cannot be read ({error}). Give a working one with chat_template=…"
            ) from error
        self._wants_parts, self._knows_system = self._probe()

    def render(
        self, messages: Sequence[Message], tools: Sequence[Tool] = (), options: Mapping[str, Any] | None = None
    ) -> str:
        """The conversation up to where the answer begins. Raises `UnsupportedInput` if the template refuses."""
        described = [_describe(message) for message in messages]
        if "developer" not in self.source:
            described = [{**said, "role": "system"} if said["role"] == "developer" else said for said in described]
        if not self._knows_system:
            described = _fold_system(described)
        if self._wants_parts:
            described = [_in_parts(said) for said in described]
        with _translated():
            return self._run(described, [_function(tool) for tool in tools] or None, options or {})

    def _probe(self) -> tuple[bool, bool]:
        """Whether the template wants content in parts, and whether it has a place for what the system says."""
        user, system = {"role": "user", "content": _SENTINEL}, {"role": "system", "content": "the system"}
        as_text, as_parts = self._try([user]) or "", self._try([_in_parts(user)]) or ""
        wants_parts = _SENTINEL not in as_text and _SENTINEL in as_parts
        both = self._try([_in_parts(system), _in_parts(user)] if wants_parts else [system, user])
        loses_system = both is not None and "the system" not in both and _SENTINEL in both
        return wants_parts, both is not None and not loses_system

    def _try(self, messages: list[dict[str, Any]]) -> str | None:
        """What the template makes of these messages; None if it refuses them."""
        with _translated():
            try:
                return self._run(messages, None, {})
            except (jinja2.TemplateError, *_FAILURES):
                return None

    def _run(self, messages: list[dict[str, Any]], tools: list[Any] | None, options: Mapping[str, Any]) -> str:
        variables = {
            "messages": messages,
            "tools": tools,
            "documents": None,
            "add_generation_prompt": True,
            "bos_token": self.bos,
            "eos_token": self.eos,
            **options,
        }
        return self._sandbox.run(self._template, variables, self.seconds)


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


# -- conversations as templates know them ----------------------------------------------------------------------------


def _describe(message: Message) -> dict[str, Any]:
    said: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        said["tool_calls"] = [
            {"type": "function", "id": call.id, "function": {"name": call.name, "arguments": dict(call.arguments)}}
            for call in message.tool_calls
        ]
    optional = {"tool_call_id": message.tool_call_id, "name": message.name, "reasoning_content": message.reasoning}
    return said | {key: value for key, value in optional.items() if value is not None}


def _function(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}


def _in_parts(said: dict[str, Any]) -> dict[str, Any]:
    """Content as the list of parts that templates of models with eyes expect."""
    return {**said, "content": [{"type": "text", "text": said["content"]}]}


def _fold_system(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For a template that has no system role: what the system says begins the next user message."""
    folded: list[dict[str, Any]] = []
    pending: list[str] = []
    for said in messages:
        if said["role"] == "system":
            pending.append(said["content"])
        elif pending and said["role"] == "user":
            folded.append({**said, "content": "\n\n".join([*pending, said["content"]])})
            pending = []
        else:
            folded.append(said)
    return folded + [{"role": "user", "content": text} for text in pending]
