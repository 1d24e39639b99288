"""How a chat template wants to be told a conversation: found out by telling it one in several ways.

Templates agree on `role` and `content` and on little else. The same call is a dict to one and a JSON text to another,
an empty content must be there or must not, thoughts go by four names.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import attrs

from sauropod._values.messages import Message, Tool, ToolCall

__all__ = ["Dialect", "Said", "learn"]

Said = dict[str, Any]
"""A message as a template sees it."""

_REASONING = ("reasoning_content", "reasoning", "thinking", "thought")
"""The names under which templates look for what the model thought. Each looks for one of them."""

_USER, _SYSTEM = "sauropod was here", "the system"
_NAME, _KEY, _VALUE, _THOUGHT, _ANSWER = "probe_tool", "probe_key", "probe value", "probe thought", "probe answer"


@attrs.frozen
class Dialect:
    """What a template understands, beyond what all do."""

    parts: bool = False
    """Content is a list of parts, not a text."""
    system: bool = True
    """It has a place for what the system says."""
    developer: bool = False
    arguments_as_text: bool = False
    """The arguments of a call are JSON text, not a dict."""
    empty: str | None = ""
    """The content of a message that only calls tools."""
    short_ids: bool = False
    """The ids of calls have to be nine letters and digits."""
    thoughts_as_part: bool = False
    """What the model thought is a part of its content."""
    either: bool = False
    """Beside calls there may be a content or thoughts, but not both."""
    calls_alone: bool = False
    """Beside calls there may be no content, or the calls are left out."""
    no_tools: Sequence[Any] | None = None
    """What stands for tools where there are none."""
    tools_in_system: bool = False
    """Tools belong to the system message, as text."""
    descriptions: bool = False
    """Every parameter of a tool needs a description."""

    def tell(self, messages: Sequence[Message], tools: Sequence[Tool] = ()) -> list[Said]:
        """The messages, as the template wants them."""
        told = [self._message(message) for message in _with_ids(messages, self.short_ids)]
        if self.tools_in_system and tools:
            described = json.dumps([_function(tool)["function"] for tool in tools], ensure_ascii=False)
            told = told if told and told[0]["role"] == "system" else [{"role": "system", "content": _HAS_TOOLS}, *told]
            told[0] = {**told[0], "tools": described}
        if not self.developer:
            told = [{**said, "role": "system"} if said["role"] == "developer" else said for said in told]
        if not self.system:
            told = _fold_system(told)
        return [_in_parts(said) for said in told] if self.parts else told

    def tools(self, tools: Sequence[Tool]) -> Sequence[Any] | None:
        """The tools, or what stands for none."""
        return [_function(tool, self.descriptions) for tool in tools] or self.no_tools

    def _message(self, message: Message) -> Said:
        content, reasoning = message.content, message.reasoning
        if self.either and message.tool_calls and content and reasoning:
            content, reasoning = "", f"{reasoning}\n\n{content}"
        said: Said = {"role": message.role, "content": content}
        if message.tool_calls:
            said["content"] = self.empty if self.calls_alone else content or self.empty
            said["tool_calls"] = [self._call(call) for call in message.tool_calls]
        if reasoning is not None and self.thoughts_as_part:
            said["content"] = [{"type": "thinking", "thinking": reasoning}, {"type": "text", "text": content}]
        elif reasoning is not None:
            said |= dict.fromkeys(_REASONING, reasoning)
        optional = {"tool_call_id": message.tool_call_id, "name": message.name}
        return said | {key: value for key, value in optional.items() if value is not None}

    def _call(self, call: ToolCall) -> Said:
        arguments: Any = dict(call.arguments)
        if self.arguments_as_text:
            arguments = json.dumps(arguments, ensure_ascii=False)
        return {"type": "function", "id": call.id, "function": {"name": call.name, "arguments": arguments}}


def learn(render: Callable[[list[Said], Sequence[Any] | None], str | None], source: str) -> Dialect:
    """Find out what a template understands. `render` gives what it makes of a conversation, or None if it refuses."""

    def shows(dialect: Dialect, messages: Sequence[Message], *expected: str, tools: Sequence[Tool] = ()) -> bool:
        text = render(dialect.tell(messages, tools), dialect.tools(tools))
        return text is not None and all(each in text for each in expected)

    dialect = Dialect(developer="developer" in source)
    user, system = Message.user(_USER), Message.system(_SYSTEM)
    in_parts = attrs.evolve(dialect, parts=True)
    if not shows(dialect, [user], _USER) and shows(in_parts, [user], _USER):
        dialect = in_parts
    nothing: tuple[Sequence[Any] | None, ...] = (None, [])
    for no_tools in nothing:
        candidate = attrs.evolve(dialect, no_tools=no_tools)
        if shows(candidate, [user]):
            dialect = candidate
            break
    both = render(dialect.tell([system, user]), dialect.no_tools)
    loses_system = both is not None and _SYSTEM not in both and _USER in both
    dialect = attrs.evolve(dialect, system=both is not None and not loses_system)
    in_system = attrs.evolve(dialect, tools_in_system=True)
    if not shows(dialect, [user], _NAME, tools=[_TOOL]) and shows(in_system, [user], _NAME, tools=[_TOOL]):
        dialect = in_system
    described = attrs.evolve(dialect, descriptions=True)
    if not shows(dialect, [user], tools=[_TOOL]) and shows(described, [user], tools=[_TOOL]):
        dialect = described
    for candidate in (*_ways_to_call(dialect), dialect):
        if shows(candidate, [user, _CALLING], _NAME, _KEY, _VALUE, tools=[_TOOL]) and not _is_written_by_python(
            render(candidate.tell([user, _CALLING], [_TOOL]), candidate.tools([_TOOL])) or ""
        ):
            dialect = candidate
            break
    thinking = attrs.evolve(_ANSWERING, reasoning=_THOUGHT)
    as_part = attrs.evolve(dialect, thoughts_as_part=True)
    if not shows(dialect, [user, thinking], _THOUGHT) and shows(as_part, [user, thinking], _THOUGHT, _ANSWER):
        written = render(as_part.tell([user, thinking]), as_part.no_tools) or ""
        quoted = f"'{_THOUGHT}'" in written or f'"{_THOUGHT}"' in written  # the parts themselves, not what is in them
        dialect = dialect if quoted else as_part
    if not shows(dialect, [user, _CALLING], _NAME, tools=[_TOOL]):
        return dialect
    talking = attrs.evolve(_CALLING, content=_ANSWER)
    calls_alone = not shows(dialect, [user, talking], _NAME, tools=[_TOOL])
    dialect = attrs.evolve(dialect, calls_alone=calls_alone)
    thinking = attrs.evolve(talking, reasoning=_THOUGHT)
    return attrs.evolve(dialect, either=not shows(dialect, [user, thinking], _NAME, tools=[_TOOL]))


_HAS_TOOLS = "You are a helpful assistant with some tools."
_TOOL = Tool(_NAME, "Tries out.", {"type": "object", "properties": {_KEY: {"type": "string"}}, "required": [_KEY]})
_CALLING = Message.assistant(tool_calls=[ToolCall(_NAME, {_KEY: _VALUE}, id="call_0123456789abcdef")])
_ANSWERING = Message.assistant(_ANSWER)


def _ways_to_call(dialect: Dialect) -> Iterator[Dialect]:
    for short_ids, as_text, empty in product((False, True), (False, True), ("", None)):
        yield attrs.evolve(dialect, short_ids=short_ids, arguments_as_text=as_text, empty=empty)


def _is_written_by_python(text: str) -> bool:
    """Whether arguments came out as Python writes a dict, because the template took them for a text."""
    return f"'{_KEY}': '{_VALUE}'" in text


def _with_ids(messages: Sequence[Message], short: bool) -> list[Message]:
    """Every call with an id, and every result with the id of its call."""
    told: list[Message] = []
    open_calls: list[str] = []
    count = 0
    for message in messages:
        if message.tool_calls:
            calls = []
            for call in message.tool_calls:
                count += 1
                calls.append(attrs.evolve(call, id=_id(call.id or f"call{count:05}", short)))
            open_calls = [call.id or "" for call in calls]
            message = attrs.evolve(message, tool_calls=calls)
        elif message.role == "tool":
            answered = message.tool_call_id and _id(message.tool_call_id, short)
            answered = answered or (open_calls[0] if open_calls else None)
            open_calls = [each for each in open_calls if each != answered]
            message = attrs.evolve(message, tool_call_id=answered)
        told.append(message)
    return told


def _id(given: str, short: bool) -> str:
    fits = len(given) == 9 and given.isascii() and given.isalnum()
    return hashlib.sha256(given.encode()).hexdigest()[:9] if short and not fits else given


def _function(tool: Tool, descriptions: bool = False) -> Mapping[str, Any]:
    parameters = dict(tool.parameters)
    if descriptions and isinstance(parameters.get("properties"), Mapping):
        parameters["properties"] = {
            key: {"description": "", **schema} if isinstance(schema, Mapping) else schema
            for key, schema in parameters["properties"].items()
        }
    described = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": described}


def _in_parts(said: Said) -> Said:
    """Content as the list of parts that templates of models with eyes expect."""
    content = said["content"]
    return {**said, "content": [{"type": "text", "text": content}]} if isinstance(content, str) else said


def _fold_system(messages: list[Said]) -> list[Said]:
    """For a template that has no system role: what the system says begins the next user message."""
    folded: list[Said] = []
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
