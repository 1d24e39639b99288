"""A conversation as a template can take it that leaves calls of tools out, or knows nothing of tools at all."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import attrs

from sauropod._text.writing import written
from sauropod._values.messages import Message, Tool
from sauropod._values.syntax import CallSyntax, SyntaxOrigin

__all__ = ["adapted"]

INSTRUCTIONS = """\
# Tools

You may call functions to help you answer. Each is described by a line of JSON:
<tools>
{tools}
</tools>

To call one, write its name and arguments as JSON between these tags:
<tool_call>
{{"name": <name>, "arguments": <arguments>}}
</tool_call>
What it returns is given to you between <tool_response> and </tool_response>."""


def adapted(
    messages: Sequence[Message], tools: Sequence[Tool], calls: CallSyntax | None
) -> tuple[Sequence[Message], Sequence[Tool]]:
    """The messages and tools that are given to the template."""
    if calls is None:
        return messages, tools
    if calls.origin is SyntaxOrigin.TEMPLATE:
        return (_with_formed_ids(messages, calls) if calls.id_form else messages), tools
    told = [_with_calls_in_text(message, calls) for message in messages]
    if not calls.results:
        told = list(_with_results_of_users(told))
    if calls.origin is SyntaxOrigin.PROMPT:
        return told, tools
    return (_instructed(told, tools) if tools else told), ()


def _with_formed_ids(messages: Sequence[Message], calls: CallSyntax) -> list[Message]:
    """With the ids that this template needs, because they are all it writes of a call's name."""
    formed: dict[str | None, str] = {}
    told = []
    index = calls.first_index
    for message in messages:
        named = []
        for call in message.tool_calls:
            id = calls.id_form.format(name=call.name, index=index)
            index += 1
            formed[call.id] = id
            named.append(attrs.evolve(call, id=id))
        told.append(attrs.evolve(message, tool_calls=named, tool_call_id=formed.get(message.tool_call_id)))
    return told


def _with_calls_in_text(message: Message, calls: CallSyntax) -> Message:
    if not message.tool_calls:
        return message
    text = written(calls, message.tool_calls)
    return attrs.evolve(message, content=f"{message.content}\n{text}" if message.content else text, tool_calls=())


def _with_results_of_users(messages: Sequence[Message]) -> Iterator[Message]:
    """Results as something the user says: those that follow each other as one message."""
    pending: list[str] = []
    for message in messages:
        if message.role == "tool":
            pending.append(f"<tool_response>\n{message.content}\n</tool_response>")
            continue
        if pending:
            if message.role == "user":
                yield attrs.evolve(message, content="\n".join([*pending, message.content]))
                pending = []
                continue
            yield Message.user("\n".join(pending))
            pending = []
        yield message
    if pending:
        yield Message.user("\n".join(pending))


def _instructed(messages: Sequence[Message], tools: Sequence[Tool]) -> list[Message]:
    """With what there is to call in the system message."""
    lines = [
        json.dumps(
            {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)},
            ensure_ascii=False,
        )
        for tool in tools
    ]
    instructions = INSTRUCTIONS.format(tools="\n".join(lines))
    first = messages[0] if messages else None
    if first is not None and first.role in ("system", "developer"):
        return [attrs.evolve(first, content=f"{first.content}\n\n{instructions}"), *messages[1:]]
    return [Message.system(instructions), *messages]
