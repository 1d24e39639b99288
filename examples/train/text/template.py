"""Template: the chat template the model is trained on and shipped with, as transformers renders it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import jinja2
from jinja2.ext import loopcontrols
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .messages import Conversation

PATH = Path(__file__).parent / "data" / "template.jinja"


def compiled(source: str) -> jinja2.Template:
    """The template, in an environment set up as transformers does it."""
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols])
    environment.filters["tojson"] = tojson
    environment.globals["raise_exception"] = _raise
    environment.globals["strftime_now"] = lambda style: datetime.now().strftime(style)
    return environment.from_string(source)


def tojson(value: object, indent: int | None = None) -> str:
    """JSON as transformers writes it: no escapes for HTML or Unicode, keys in their order."""
    return json.dumps(value, ensure_ascii=False, indent=indent)


def _raise(message: str) -> None:
    raise jinja2.TemplateError(message)


def render(template: jinja2.Template, conversation: Conversation, *, open_turn: bool = False) -> str:
    """The conversation as the model reads it; `open_turn` begins the assistant's next turn."""
    messages, tools = conversation.wire()
    return template.render(messages=messages, tools=tools or None, add_generation_prompt=open_turn)
