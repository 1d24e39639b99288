"""OpenChoice: one answer while it is written: what the model does, as deltas, and the message they add up to."""

from __future__ import annotations

import json
from collections.abc import Sequence

import attrs
from msgspec import UNSET

from sauropod import (
    Choice,
    ReasoningDelta,
    StopReason,
    StreamEvent,
    TextDelta,
    TokenLogprob,
    ToolCallClosed,
    ToolCallDropped,
    ToolCallOpened,
)
from sauropod import ToolCallDelta as Arguments
from sauropod.server.problems import Problem
from sauropod.server.wire.call_ids import wire_id
from sauropod.server.wire.chat.logprobs import logprobs_of
from sauropod.server.wire.chat.objects import (
    Answered,
    ChatChoice,
    ChunkChoice,
    Custom,
    Delta,
    FinishReason,
    Function,
    ToolCallDelta,
    WholeCall,
)
from sauropod.server.wire.chat.tools import Toolbox

__all__ = ["OpenChoice"]


@attrs.define
class _Call:
    """A call, as far as it has come."""

    id: str
    name: str
    custom: bool
    told: bool
    """Whether the client knows of it."""
    parts: list[str] = attrs.field(factory=list)

    @property
    def passed(self) -> str:
        return "".join(self.parts)


@attrs.define(eq=False)
class OpenChoice:
    """One of the answers to a request.

    With `live_calls` a call is told as soon as it begins, because it is certain to become one unless the answer is cut
    off: then the client is left with the beginning of a call and the finish reason `length`, as with OpenAI. Otherwise
    a call is told once it is whole, and what turns out to be none is text.
    """

    index: int
    toolbox: Toolbox
    live_calls: bool = False
    finish_reason: FinishReason | None = None
    _content: list[str] = attrs.field(factory=list)
    _thoughts: list[str] = attrs.field(factory=list)
    _calls: list[_Call] = attrs.field(factory=list)
    """Those that were told."""
    _open: _Call | None = None
    _broken: str = ""
    """What is wrong with a call that was told and taken back. Only the rest of its text may follow."""
    _logprobs: list[TokenLogprob] = attrs.field(factory=list)

    def take(self, event: StreamEvent) -> list[ChunkChoice]:
        """What is to be told of something the model did. Raises `Problem` if what was told before cannot stand."""
        if isinstance(event, TextDelta):
            return self._text(event)
        if self._broken:
            raise self._cannot_stand()
        match event:
            case ReasoningDelta(text=text) if text:
                self._thoughts.append(text)
                return [self._told(Delta(reasoning_content=text))]
            case ToolCallOpened():
                return self._opened(event)
            case Arguments() if event.arguments:
                return self._argued(event.arguments)
            case ToolCallClosed():
                return self._closed(event)
            case ToolCallDropped():
                self._dropped(event.warning)
        return []

    def finish(self, choice: Choice) -> list[ChunkChoice]:
        """It is whole. Raises `Problem` if it ends, by itself, with a call that was told and is none."""
        if self._broken and choice.stop_reason is StopReason.EOS:
            raise self._cannot_stand()
        found = [] if self._content or self._calls else [self._told(Delta(content=""))]
        self.finish_reason = self._reason(choice.stop_reason)
        return [*found, ChunkChoice(self.index, Delta(), finish_reason=self.finish_reason)]

    def whole(self) -> ChatChoice:
        """All of it, once it is finished."""
        assert self.finish_reason is not None
        return ChatChoice(self.index, self._message(), logprobs_of(self._logprobs), self.finish_reason)

    # -- inside ----------------------------------------------------------------------------------------------------

    def _text(self, event: TextDelta) -> list[ChunkChoice]:
        self._logprobs += event.logprobs
        if not event.text or self._broken:
            return [self._told(Delta(), event.logprobs)] if event.logprobs else []
        self._content.append(event.text)
        return [self._told(Delta(content=event.text), event.logprobs)]

    def _opened(self, event: ToolCallOpened) -> list[ChunkChoice]:
        custom = self.toolbox.is_custom(event.name)
        self._open = _Call(wire_id(event.id), event.name, custom, self.live_calls and not custom)
        return self._begin(self._open) if self._open.told else []

    def _argued(self, arguments: str) -> list[ChunkChoice]:
        assert self._open is not None
        self._open.parts.append(arguments)
        return self._more(Function(arguments=arguments)) if self._open.told else []

    def _closed(self, event: ToolCallClosed) -> list[ChunkChoice]:
        call, self._open = self._open, None
        assert call is not None
        if not call.parts:
            call.parts = [json.dumps(dict(event.tool_call.arguments))]
            rest = self._more(Function(arguments=call.passed)) if call.told else []
        else:
            rest = []
        if call.custom:
            call.parts = [str(event.tool_call.arguments.get("input", ""))]
        return rest if call.told else self._begin(call)

    def _dropped(self, warning: str) -> None:
        call, self._open = self._open, None
        if call is not None and call.told:
            self._broken = warning

    def _begin(self, call: _Call) -> list[ChunkChoice]:
        """A call is told, with what it has."""
        self._calls.append(call)
        if self.toolbox.legacy:
            return [self._told(Delta(function_call=Function(call.name, call.passed)))] if len(self._calls) == 1 else []
        made = _made(call)
        delta = ToolCallDelta(len(self._calls) - 1, made.id, made.type, made.function, made.custom)
        return [self._told(Delta(tool_calls=[delta]))]

    def _more(self, function: Function) -> list[ChunkChoice]:
        if self.toolbox.legacy:
            return [self._told(Delta(function_call=function))] if len(self._calls) == 1 else []
        return [self._told(Delta(tool_calls=[ToolCallDelta(len(self._calls) - 1, function=function)]))]

    def _told(self, delta: Delta, logprobs: Sequence[TokenLogprob] = ()) -> ChunkChoice:
        return ChunkChoice(self.index, delta, logprobs_of(logprobs))

    def _message(self) -> Answered:
        content = "".join(self._content)
        answered = Answered(content=content if content or not self._calls else None)
        if self._thoughts:
            answered.reasoning_content = "".join(self._thoughts)
        if self._calls and self.toolbox.legacy:
            answered.function_call = Function(self._calls[0].name, self._calls[0].passed)
        elif self._calls:
            answered.tool_calls = [_made(call) for call in self._calls]
        return answered

    def _reason(self, stop: StopReason) -> FinishReason:
        if stop in (StopReason.MAX_TOKENS, StopReason.CONTEXT_LENGTH):
            return "length"
        if not self._calls or self._broken:
            return "stop"
        return "function_call" if self.toolbox.legacy else "tool_calls"

    def _cannot_stand(self) -> Problem:
        return Problem(
            500, f"The model began a call and did not go on with one. {self._broken}", "server_error", "broken_call"
        )


def _made(call: _Call) -> WholeCall:
    if call.custom:
        return WholeCall(call.id, "custom", UNSET, Custom(call.name, call.passed))
    return WholeCall(call.id, "function", Function(call.name, call.passed))
