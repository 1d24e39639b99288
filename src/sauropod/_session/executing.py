"""Executing: calls the functions that the model asks for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs

from sauropod._running import outcome, told
from sauropod._session.events import ItemAdded, ItemDone
from sauropod._session.items import CallItem, ResultItem
from sauropod._session.replying import Replying
from sauropod._session.stage import Stage
from sauropod._typed.functions import FunctionTool
from sauropod._values.messages import ToolCall

__all__ = ["Executing"]


@attrs.define(eq=False)
class Executing:
    """Functions on their way. A call of a tool that is no function is the application's own affair."""

    stage: Stage
    done: Callable[[], None]
    """Told when one has come to its end."""
    rounds: int = 0
    """How often in a row what they gave was answered."""
    due: bool = False
    """What they gave waits to be answered."""
    _running: int = 0

    @property
    def ready(self) -> bool:
        """Whether it is to be answered now."""
        return self.due and not self._running

    @property
    def busy(self) -> bool:
        return self.due or self._running > 0

    def call(self, replying: Replying, call: ToolCall) -> None:
        """The model calls a tool: if it is a function, call it."""
        for each in replying.tools:
            if isinstance(each, FunctionTool) and each.tool.name == call.name:
                self._running += 1
                self.stage.tasks.start_soon(self._execute, replying, each, call)

    async def _execute(self, replying: Replying, function: FunctionTool[..., Any], call: ToolCall) -> None:
        try:
            output, _ = await told(partial(outcome, function, call))
        finally:
            self._running -= 1
        conversation = replying.conversation
        if not any(isinstance(item, CallItem) and item.call.id == call.id for item in conversation):
            return  # somebody removed the call meanwhile
        result = ResultItem(call.id or "", output)
        after = conversation.add(result)
        self.stage.tell(ItemAdded(result, after))
        self.stage.tell(ItemDone(result, after))
        if not replying.reply.apart:
            self.due = True
            self.done()
