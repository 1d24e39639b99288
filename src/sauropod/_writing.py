"""One text of a request, as far as it has come: what the worker says of it, as events."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence

import attrs

from sauropod._runtime.protocol import Began, End, Generate, Piece
from sauropod._text.output import OutputParser
from sauropod._values.completion import (
    Choice,
    ContextLedger,
    ReasoningDelta,
    StreamEvent,
    TextDelta,
    TokenLogprob,
    ToolCallClosed,
)
from sauropod._values.messages import ToolCall
from sauropod._values.sampling import StopReason
from sauropod._values.syntax import Syntax

__all__ = ["Writing"]

_ID_CHARACTERS = string.ascii_letters + string.digits


def _new_id() -> str:
    """Nine letters and digits, which is what the strictest templates take for the id of a call."""
    return "".join(secrets.choice(_ID_CHARACTERS) for _ in range(9))


@attrs.define(eq=False)
class Writing:
    """A text while it is being written."""

    index: int
    request: Generate
    syntax: Syntax | None
    """None for what is only continued."""
    tokens: list[int] = attrs.field(factory=list)
    end: End | None = None
    began: Began | None = None
    reasoning_tokens: int = 0
    _parser: OutputParser | None = None
    _text: list[str] = attrs.field(factory=list)
    _reasoning: list[str] = attrs.field(factory=list)
    _calls: list[ToolCall] = attrs.field(factory=list)
    _warnings: list[str] = attrs.field(factory=list)
    _logprobs: list[TokenLogprob] = attrs.field(factory=list)
    _shown: int = 0
    """How many of the log-probabilities have been given out with an event."""

    def begin(self, began: Began) -> None:
        """The prompt is known. Said again after a crash, which changes nothing."""
        if self.began is not None:
            return
        self.began = began
        if self.syntax is not None and self.request.prompt.messages:
            tools = self.request.prompt.chat.offered
            whole = self.request.sampling.grammar is not None
            self._parser = OutputParser(
                self.syntax, tools, _new_id, index=self.index, prefill=began.prefill, whole=whole
            )

    def take(self, piece: Piece) -> list[StreamEvent]:
        """A token. The events that are certain now."""
        self.tokens.append(piece.token)
        if piece.logprob is not None:
            alternatives = tuple(TokenLogprob(token, data, logprob) for token, data, logprob in piece.top)
            self._logprobs.append(TokenLogprob(piece.token, piece.bytes, piece.logprob, alternatives))
        if self._parser is None:
            return self._collected([TextDelta(piece.text, self.index)] if piece.text else [])
        thinking = self._parser.thinking
        events = self._parser.feed(piece.text)
        self.reasoning_tokens += thinking or self._parser.thinking
        return self._collected(events)

    def finish(self, end: End) -> list[StreamEvent]:
        """The end of it. The events that are left."""
        self.end = end
        if self._parser is None:
            events: list[StreamEvent] = [TextDelta(end.text, self.index)] if end.text else []
        else:
            events = [*self._parser.feed(end.text), *self._parser.finish(cut=end.stop_reason is not StopReason.EOS)]
        if self._shown < len(self._logprobs) and not any(isinstance(event, TextDelta) for event in events):
            events.append(TextDelta("", self.index))
        return self._collected(events)

    def choice(self) -> Choice:
        """All of it."""
        assert self.end is not None
        reported = self.request.sampling.logprobs is not None
        return Choice(
            "".join(self._text),
            self.end.stop_reason,
            tuple(self.tokens),
            self.end.stop,
            tuple(self._logprobs) if reported else None,
            "".join(self._reasoning) or None,
            tuple(self._calls),
            tuple(self._warnings),
        )

    def ledger(self) -> ContextLedger | None:
        began, end = self.began, self.end
        if began is None or end is None or not began.kept_messages:
            return None
        return ContextLedger(
            began.kept_messages,
            began.prompt_tokens,
            began.dropped_messages,
            began.dropped_tokens,
            end.cached_tokens,
        )

    def _collected(self, events: Sequence[StreamEvent]) -> list[StreamEvent]:
        collected = list(events)
        for place, event in enumerate(collected):
            match event:
                case TextDelta():
                    self._text.append(event.text)
                    self._warnings += [event.warning] if event.warning else []
                    if self._shown < len(self._logprobs):
                        news, self._shown = self._logprobs[self._shown :], len(self._logprobs)
                        collected[place] = attrs.evolve(event, logprobs=tuple(news))
                case ReasoningDelta():
                    self._reasoning.append(event.text)
                case ToolCallClosed():
                    self._calls.append(event.tool_call)
        return collected
