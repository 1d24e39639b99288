"""Prompts: items as the messages a model is given, and a request's options as those of `Engine.stream`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import msgspec

from sauropod import Grammar, Message
from sauropod.server.problems import Problem, invalid
from sauropod.server.wire.call_ids import model_id
from sauropod.server.wire.responses.inputs import ANSWERED, OUTPUTS
from sauropod.server.wire.responses.request import CreateResponse, Prompted, Text
from sauropod.server.wire.responses.tools import Toolbox, choice_of
from sauropod.server.wire.sounds import said, sound_of

__all__ = ["SUMMARY", "concealed", "messages_of", "options_of", "prompt_options_of", "revealed"]

SUMMARY = "Summary of the conversation so far:"
"""How a model is told what `compact` made of a conversation."""


def concealed(text: str) -> str:
    """Text as an opaque token. It is not encrypted: it hides from eyes, not from anybody."""
    return base64.b64encode(msgspec.json.encode({"sauropod": 1, "text": text})).decode()


def revealed(token: str) -> str | None:
    """The text of a token that `concealed` made; None for anybody else's."""
    try:
        found = json.loads(base64.b64decode(token, validate=True))
    except (ValueError, binascii.Error, RecursionError):
        return None
    text = found.get("text") if isinstance(found, dict) and found.get("sauropod") == 1 else None
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else None


def messages_of(items: Sequence[Mapping[str, Any]], instructions: str | None, toolbox: Toolbox) -> list[Message]:
    """The conversation. Raises `Problem` for the result of a call that is not there."""
    reading = _Reading(toolbox)
    if instructions:
        reading.messages.append(Message("system", instructions))
    for item in items:
        reading.take(item)
    return reading.messages


@attrs.define
class _Reading:
    """What the assistant thinks, says and calls in a row is one message."""

    toolbox: Toolbox
    messages: list[Message] = attrs.field(factory=list)
    called: dict[str, str] = attrs.field(factory=dict)
    """Names of the tools that were called, by the calls' ids."""

    def take(self, item: Mapping[str, Any]) -> None:
        kind = item["type"]
        if kind == "message" and item["role"] == "user":
            self.messages.append(said(_said(part) for part in item["content"]))
        elif kind == "message" and item["role"] != "assistant":
            self.messages.append(Message(item["role"], _text_of(item["content"])))
        elif kind == "message":
            self._assistant(content=_text_of(item["content"]))
        elif kind == "reasoning":
            self._assistant(reasoning=_thoughts(item))
        elif kind == "compaction":
            self._compacted(item)
        elif kind in ANSWERED:
            self._answer(item, kind)
        elif kind in ("function_call", "custom_tool_call"):
            self._call(item)
        else:
            self._assistant(content=msgspec.json.encode(item).decode())

    def _call(self, item: Mapping[str, Any]) -> None:
        call = self.toolbox.call(item)
        self.called[item["call_id"]] = call.name
        last = self._last()
        self.messages[-1] = attrs.evolve(last, tool_calls=(*last.tool_calls, call))

    def _answer(self, item: Mapping[str, Any], kind: str) -> None:
        if kind not in OUTPUTS:
            self.messages.append(Message("user", msgspec.json.encode(item).decode()))
            return
        call_id, output = item["call_id"], item["output"]
        if call_id not in self.called:
            raise invalid(
                f"No tool call found for function call output with call_id {call_id}. Send the call too, or name the "
                "response that made it as 'previous_response_id'.",
                "input",
            )
        text = output if isinstance(output, str) else _text_of(output)
        self.messages.append(Message("tool", text, tool_call_id=model_id(call_id), name=self.called[call_id]))

    def _compacted(self, item: Mapping[str, Any]) -> None:
        text = revealed(item["encrypted_content"])
        if text is None:
            raise invalid("The item of the type 'compaction' was not made by this server, and cannot be read.", "input")
        self.messages.append(Message("developer", f"{SUMMARY}\n{text}"))

    def _assistant(self, content: str = "", reasoning: str = "") -> None:
        last = self._last(fresh=bool(reasoning))
        joined = "\n".join(filter(None, (last.content, content)))
        self.messages[-1] = attrs.evolve(last, content=joined, reasoning=reasoning or last.reasoning)

    def _last(self, fresh: bool = False) -> Message:
        """The assistant's message that is being put together. Thoughts begin a new one where something was said."""
        last = self.messages[-1] if self.messages else None
        said = last is not None and (last.content or last.tool_calls or last.reasoning)
        if last is None or last.role != "assistant" or (fresh and said):
            last = Message("assistant")
            self.messages.append(last)
        return last


def _said(part: Mapping[str, Any]) -> str | bytes:
    if part["type"] == "input_audio":
        return sound_of(part["input_audio"], "input")
    return _text_of([part])


def _text_of(parts: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(part.get("text") or part.get("refusal") or "" for part in parts)


def _thoughts(item: Mapping[str, Any]) -> str:
    hidden = item.get("encrypted_content")
    return _text_of(item["content"]) or (hidden and revealed(hidden)) or _text_of(item["summary"])


def prompt_options_of(asked: Prompted, toolbox: Toolbox) -> dict[str, Any]:
    """What makes a conversation a prompt, as `Engine.count_tokens` takes it."""
    options: dict[str, Any] = {}
    if toolbox.offered:
        options["tools"] = toolbox.tools
        options["tool_choice"] = choice_of(asked.tool_choice, toolbox)
    else:
        choice_of(asked.tool_choice, toolbox)
    if asked.reasoning and asked.reasoning.effort:
        options["reasoning_effort"] = asked.reasoning.effort
    if asked.chat_template_kwargs:
        options["template_options"] = asked.chat_template_kwargs
    return options


def options_of(asked: CreateResponse, toolbox: Toolbox) -> dict[str, Any]:
    """All options, as `Engine.stream` takes them."""
    options = prompt_options_of(asked, toolbox)
    if toolbox.offered and asked.parallel_tool_calls is False:
        options["parallel_tool_calls"] = False
    if asked.truncation == "auto":
        options["overflow"] = "truncate"
    for name in ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "seed", "stop"):
        if (value := getattr(asked, name)) is not None:
            options[name] = value
    for name in ("presence_penalty", "frequency_penalty"):
        if value := getattr(asked, name):
            options[name] = value
    if asked.max_output_tokens is not None:
        options["max_tokens"] = asked.max_output_tokens
    if asked.top_logprobs or asked.wants("message.output_text.logprobs"):
        options["logprobs"] = asked.top_logprobs or 0
    if (grammar := _grammar(asked.text)) is not None:
        options["grammar"] = grammar
    return options


def _grammar(text: Text | None) -> Grammar | None:
    form = (text and text.format) or {"type": "text"}
    if form.get("type") == "text":
        return None
    if form.get("type") == "json_object":
        return Grammar.json_object()
    if form.get("type") == "json_schema":
        schema = form.get("schema")
        if not isinstance(schema, dict | bool):
            raise invalid(
                "'text.format.schema' is a JSON schema, an object.",
                "text.format.schema",
                "missing_required_parameter" if schema is None else "invalid_type",
            )
        try:
            return Grammar.json_schema(schema)
        except ValueError as error:
            raise Problem(400, str(error), param="text.format.schema", code="invalid_json_schema") from error
    raise invalid(
        f"'text.format' is of the type text, json_object or json_schema; got {form.get('type')!r}.", "text.format.type"
    )
