"""Counting what a request would take, and making a long conversation short."""

from __future__ import annotations

from typing import Any

from sauropod import Message
from sauropod.server.problems import invalid
from sauropod.server.responding.history import History
from sauropod.server.serving import Server
from sauropod.server.wire.responses.inputs import read_input
from sauropod.server.wire.responses.items import Compaction
from sauropod.server.wire.responses.prompts import concealed, messages_of, prompt_options_of
from sauropod.server.wire.responses.request import CompactRequest, CountRequest
from sauropod.server.wire.responses.response import usage_of
from sauropod.server.wire.responses.tools import Toolbox

__all__ = ["compact", "count_input"]

ASK = (
    "Summarise the conversation above for yourself, so that you can go on with it without seeing it again: what is "
    "wanted, what was found out, what was done, and what is left to do. Write only the summary."
)
LONGEST = 1024
"""Tokens of a summary."""


async def count_input(server: Server, asked: CountRequest) -> int:
    """How many tokens the prompt takes. Raises `Problem`."""
    toolbox = Toolbox.of(asked.tools)
    given = read_input(asked.input, server.new_id)
    history = History(server.store)
    before = await history.before(asked.previous_response_id, asked.conversation_id)
    items = await history.resolved(given, before)
    messages = messages_of([*before, *items], asked.instructions, toolbox)
    if not messages:
        raise invalid("There is nothing to count. Send 'input'.", "input", "missing_required_parameter")
    async with server.catalog.use(asked.model) as served:
        return await served.engine.count_tokens(messages, **prompt_options_of(asked, toolbox))


async def compact(server: Server, asked: CompactRequest) -> dict[str, Any]:
    """What the user said, and the rest in short: written by the model itself. Raises `Problem`."""
    history = History(server.store)
    before = await history.before(asked.previous_response_id, None)
    items = [*before, *await history.resolved(read_input(asked.input, server.new_id), before)]
    messages = messages_of(items, asked.instructions, Toolbox())
    if not items:
        raise invalid("There is nothing to compact. Send 'input' or 'previous_response_id'.", "input")
    async with server.catalog.use(asked.model) as served:
        longest = min(LONGEST, max(16, served.engine.info.context_length // 4))
        completion = await served.engine.complete(
            [*messages, Message.user(ASK)], max_tokens=longest, overflow="truncate"
        )
    said = [item for item in items if item["type"] == "message" and item["role"] == "user"]
    short = Compaction(id=server.new_id("cmp"), encrypted_content=concealed(completion.text))
    return {
        "id": server.new_id("resp"),
        "object": "response.compaction",
        "created_at": int(server.now()),
        "output": [*said, short],
        "usage": usage_of([completion.usage]),
    }
