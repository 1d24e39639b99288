"""ChatWriter: from what a model does to the chunks of a chat completion, in their order, and to the completion itself.

Pure: the id and the time are given.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import attrs
from msgspec import UNSET, UnsetType

from sauropod import Finished, StreamEvent, Usage
from sauropod.server.wire.chat.choice import OpenChoice
from sauropod.server.wire.chat.objects import ChatChunk, ChatCompletion, ChunkChoice, Delta
from sauropod.server.wire.chat.tools import Toolbox
from sauropod.server.wire.chat.usage import TokenUsage, usage_of

__all__ = ["ChatWriter"]


@attrs.define(eq=False)
class ChatWriter:
    """A completion that is being written. Its chunks, put together, are what `whole` gives."""

    id: str
    created: int
    model: str
    toolbox: Toolbox = attrs.field(factory=Toolbox)
    n: int = 1
    live_calls: bool = False
    include_usage: bool = False
    service_tier: Literal["default"] | UnsetType = UNSET
    _choices: list[OpenChoice] = attrs.field(init=False)
    _begun: bool = False
    _usage: Usage | None = None

    def __attrs_post_init__(self) -> None:
        self._choices = [OpenChoice(index, self.toolbox, self.live_calls) for index in range(self.n)]

    def take(self, event: StreamEvent) -> list[ChatChunk]:
        """What is to be told of something the model did. Raises `Problem` if it cannot be told."""
        opening = [] if self._begun else self._opening()
        if isinstance(event, Finished):
            return [*opening, *self._finish(event)]
        return [*opening, *self._chunks(self._choices[event.index].take(event))]

    def whole(self) -> ChatCompletion:
        """The completion, once it is finished."""
        assert self._usage is not None
        choices = [choice.whole() for choice in self._choices]
        return ChatCompletion(self.id, self.created, self.model, choices, usage_of([self._usage]), self.service_tier)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _opening(self) -> list[ChatChunk]:
        """Every choice begins, in their order: clients count on it that a choice's place in a list is its index."""
        self._begun = True
        return self._chunks([ChunkChoice(choice.index, Delta(role="assistant")) for choice in self._choices])

    def _finish(self, event: Finished) -> list[ChatChunk]:
        self._usage = event.completion.usage
        pairs = zip(self._choices, event.completion.choices, strict=True)
        found = self._chunks([told for choice, whole in pairs for told in choice.finish(whole)])
        return [*found, self._chunk([], usage_of([self._usage]))] if self.include_usage else found

    def _chunks(self, told: Sequence[ChunkChoice]) -> list[ChatChunk]:
        return [self._chunk([each], None) for each in told]

    def _chunk(self, choices: list[ChunkChoice], usage: TokenUsage | None) -> ChatChunk:
        shown = usage if self.include_usage else UNSET
        return ChatChunk(self.id, self.created, self.model, choices, shown, self.service_tier)
